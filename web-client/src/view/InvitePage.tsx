/** The page behind an invitation's link, for someone who is signed in. */
import { createResource, createSignal, Match, onMount, Show, Switch } from 'solid-js';
import { t } from '../words';
import { useChat } from './chat';
import { failureWords } from './failure';
import { Icon } from './parts/Icon';
import { cleanName, nameOf } from './parts/Person';
import { forgetInvitation, go, paths } from './route';
import { sentenceTime } from './time';
import '../style/solo.css';

export default function InvitePage(props: { code: string }) {
  const chat = useChat();
  const [preview] = createResource(() => chat.previewInvite(props.code));
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  let heading!: HTMLHeadingElement;
  onMount(() => heading.focus());
  const info = () => {
    const outcome = preview();
    return outcome?.ok ? outcome.value : undefined;
  };
  const failure = () => {
    const outcome = preview();
    return outcome && !outcome.ok ? outcome.failure : undefined;
  };
  const leave = (path: string): void => {
    go(path, { replace: true });
    forgetInvitation();
  };
  const join = async (): Promise<void> => {
    if (busy()) return;
    setBusy(true);
    const outcome = await chat.joinRoom({ code: props.code });
    setBusy(false);
    if (outcome.ok) leave(paths.room(outcome.value.id));
    else setError(failureWords(outcome.failure));
  };
  const title = (): string => {
    const known = info();
    if (known) return t('invite.join', { room: cleanName(known.room_name) });
    return failure()?.reason === 'unknown_invite' ? t('invite.expired') : t('app.loading');
  };

  return (
    <div class="solo">
      <main class="sheet" aria-labelledby="invite-title">
        <div class="glyph">
          <Icon name={failure() ? 'alert' : 'people'} />
        </div>
        <h1 id="invite-title" tabindex="-1" ref={heading}>
          {title()}
        </h1>
        <Switch>
          <Match when={info()}>
            {(known) => (
              <>
                <p class="lead">
                  {t('invite.by', { name: nameOf(known().invited_by) })} · {t('room.members', { n: known().member_count })}
                </p>
                <p class="fine">{t('invite.until', { time: sentenceTime(known().expires_at) })}</p>
              </>
            )}
          </Match>
          <Match when={failure()}>
            {(why) => <p class="lead">{why().reason === 'unknown_invite' ? t('invite.expiredLead') : failureWords(why())}</p>}
          </Match>
        </Switch>
        <Show when={error()}>
          {(words) => (
            <p class="hint err" role="alert">
              <Icon name="alert" small />
              <span>{words()}</span>
            </p>
          )}
        </Show>
        <div class="go">
          <Show when={info()}>
            <button type="button" class="btn primary" aria-disabled={busy()} onClick={() => void join()}>
              {busy() ? t('invite.joining') : t('browse.join')}
            </button>
          </Show>
          <button type="button" class="btn" onClick={() => leave(paths.home)}>
            {t('invite.toChat')}
          </button>
        </div>
      </main>
    </div>
  );
}
