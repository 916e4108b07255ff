/** The room itself: its name and topic, who can join, invitations, leaving. */
import { createEffect, createSignal, on, Show } from 'solid-js';
import type { RoomView } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { openDialog, toast } from '../layers';
import { Field } from '../parts/Field';
import { Icon } from '../parts/Icon';

const nameChars = 80;
const topicChars = 250;

function About(props: { room: RoomView; disabled: boolean }) {
  const chat = useChat();
  const [name, setName] = createSignal(props.room.name);
  const [topic, setTopic] = createSignal(props.room.topic);
  const [busy, setBusy] = createSignal(false);
  const [errors, setErrors] = createSignal<{ name?: string; topic?: string }>({});
  createEffect(on(() => props.room.name, setName, { defer: true }));
  createEffect(on(() => props.room.topic, setTopic, { defer: true }));
  const changed = (): boolean => name() !== props.room.name || topic() !== props.room.topic;

  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy() || !changed() || props.disabled) return;
    const found = {
      ...(name().trim() === '' ? { name: t('create.needName') } : {}),
      ...([...name().trim()].length > nameChars ? { name: t('create.longName', { n: nameChars }) } : {}),
      ...([...topic()].length > topicChars ? { topic: t('create.longName', { n: topicChars }) } : {}),
    };
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    const outcome = await chat.updateRoom(props.room.id, { name: name().trim(), topic: topic().trim() });
    setBusy(false);
    if (outcome.ok) toast(t('act.saved'));
    else setErrors({ name: failureWords(outcome.failure) });
  };
  return (
    <form onSubmit={(event) => void save(event)} novalidate>
      <Field label={t('panel.name')} value={name()} onInput={setName} disabled={props.disabled} error={errors().name} />
      <Field
        label={t('panel.topic')}
        value={topic()}
        onInput={setTopic}
        disabled={props.disabled}
        error={errors().topic}
        hint={t('panel.topicHint')}
      />
      <Show when={changed()}>
        <div class="go">
          <button type="submit" class="btn primary" aria-disabled={busy()}>
            {busy() ? t('act.saving') : t('act.save')}
          </button>
        </div>
      </Show>
    </form>
  );
}

export function RoomSettings(props: { room: RoomView }) {
  const chat = useChat();
  const online = (): boolean => chat.state.connection.state === 'connected';
  const mayChange = (): boolean => props.room.role !== 'member';
  return (
    <div class="room-set">
      <About room={props.room} disabled={!mayChange() || !online()} />
      <Show when={!mayChange() || !online()}>
        <p class="hint">
          <Icon name="lock" small />
          <span>{mayChange() ? t('panel.offline') : t('panel.readOnly')}</span>
        </p>
      </Show>
      <h3>{t('panel.openTo')}</h3>
      <p class="lead">{props.room.kind === 'channel' ? t('panel.openToAll') : t('panel.openToInvited')}</p>
      <div class="go">
        <button type="button" class="btn" onClick={() => openDialog({ kind: 'invite', room: props.room })}>
          <Icon name="plus" />
          {t('panel.invite')}
        </button>
      </div>
      <div class="go">
        <button type="button" class="btn warn" onClick={() => openDialog({ kind: 'leave', room: props.room })}>
          {t('panel.leave')}
        </button>
      </div>
    </div>
  );
}
