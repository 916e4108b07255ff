/** A new room: who can join, what it is called, who is in it from the start. */
import { createSignal } from 'solid-js';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { closeDialog } from '../layers';
import { Dialog } from '../parts/Dialog';
import { Field } from '../parts/Field';
import { go, paths } from '../route';

const nameChars = 80;

export default function CreateRoom() {
  const chat = useChat();
  const [kind, setKind] = createSignal<'channel' | 'group'>('channel');
  const [name, setName] = createSignal('');
  const [topic, setTopic] = createSignal('');
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const written = name().trim();
    if (busy()) return;
    if (written === '') return void setError(t('create.needName'));
    if ([...written].length > nameChars) return void setError(t('create.longName', { n: nameChars }));
    setBusy(true);
    const outcome = await chat.createRoom({ kind: kind(), name: written, topic: topic().trim() });
    setBusy(false);
    if (!outcome.ok) return void setError(failureWords(outcome.failure));
    closeDialog();
    go(paths.room(outcome.value.id));
  };

  return (
    <Dialog title={t('create.title')}>
      <form onSubmit={(event) => void submit(event)} novalidate>
        <Field label={t('create.name')} value={name()} onInput={setName} error={error()} first />
        <Field label={t('create.topic')} aside={t('signup.optional')} value={topic()} onInput={setTopic} />
        <fieldset class="choice">
          <legend class="sr">{t('create.kind')}</legend>
          <label>
            <input type="radio" name="kind" checked={kind() === 'channel'} onChange={() => setKind('channel')} />
            <span>
              <b>{t('create.open')}</b>
              <small>{t('create.openLead')}</small>
            </span>
          </label>
          <label>
            <input type="radio" name="kind" checked={kind() === 'group'} onChange={() => setKind('group')} />
            <span>
              <b>{t('create.private')}</b>
              <small>{t('create.privateLead')}</small>
            </span>
          </label>
        </fieldset>
        <div class="go">
          <button type="button" class="btn" onClick={closeDialog}>
            {t('act.cancel')}
          </button>
          <button type="submit" class="btn primary" aria-disabled={busy()}>
            {busy() ? t('create.going') : t('create.go')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
