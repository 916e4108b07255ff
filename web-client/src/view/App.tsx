/** Which page is shown: by who is signed in, then by the address. */
import { createEffect, lazy, Match, onCleanup, Suspense, Switch } from 'solid-js';
import type { SessionView } from '../model';
import { ChatContext, useArriving } from './chat';
import { Toasts } from './parts/Toasts';
import { t } from '../words';
import { closeDialog, closeMenu, toast } from './layers';
import { keep, kept } from './preferences';
import { go, invitation, route } from './route';

const SignPages = lazy(() => import('./sign/SignPages'));
const Ended = lazy(() => import('./sign/Ended'));
const ChatPage = lazy(() => import('./ChatPage'));
const SettingsPage = lazy(() => import('./settings/SettingsPage'));
const InvitePage = lazy(() => import('./InvitePage'));

const signedInKey = 'hubbub.signed-in';
const wasSignedIn = kept(signedInKey) === 'true';

/** Begins to load the page that will be shown first, before it is known for certain. */
export function preloadPage(): void {
  if (!wasSignedIn) void SignPages.preload();
  else if (route().page === 'settings') void SettingsPage.preload();
  else void ChatPage.preload();
}

function inviteCode(): string | undefined {
  const now = route();
  return now.page === 'invite' ? now.code : undefined;
}

/** The pages of someone who is signed in. */
function Inside() {
  createEffect(() => {
    // Signed in on the way to an invitation: on with it. The page to sign up at is behind us.
    const code = invitation();
    const { page } = route();
    if (code !== undefined && page !== 'invite') go(`/invite/${encodeURIComponent(code)}`, { replace: true });
    else if (page === 'sign-up') go('/', { replace: true });
  });
  return (
    <Switch fallback={<ChatPage />}>
      <Match when={inviteCode()}>{(code) => <InvitePage code={code()} />}</Match>
      <Match when={route().page === 'settings'}>
        <SettingsPage />
      </Match>
    </Switch>
  );
}

/** A part of the page is gone from the server: it has a newer version. */
function onMissingPart(): void {
  toast(t('net.update'), { label: t('act.reload'), act: () => location.reload() });
}

export function App() {
  addEventListener('vite:preloadError', onMissingPart);
  onCleanup(() => removeEventListener('vite:preloadError', onMissingPart));
  const arriving = useArriving();
  const session = (): SessionView => {
    const chat = arriving.now();
    if (chat) return chat.state.session;
    // Before the model is there: what the last page on this device was.
    return wasSignedIn ? { phase: 'starting' } : { phase: 'signed_out', username: undefined };
  };
  const ended = () => {
    const chat = arriving.now();
    const now = session();
    return chat && now.phase === 'ended' ? { chat, session: now } : undefined;
  };
  const inside = () => (session().phase === 'in' ? arriving.now() : undefined);
  createEffect(() => {
    const { phase } = session();
    if (phase === 'starting') return;
    keep(signedInKey, String(phase === 'in'));
    if (phase === 'in') return;
    closeDialog();
    closeMenu();
  });

  return (
    <>
      <Suspense fallback={<div class="boot" />}>
        <Switch>
          <Match when={inside()}>
            {(chat) => (
              <ChatContext.Provider value={chat()}>
                <Inside />
              </ChatContext.Provider>
            )}
          </Match>
          <Match when={ended()}>
            {(now) => (
              <ChatContext.Provider value={now().chat}>
                <Ended end={now().session.end} kept={now().session.kept} />
              </ChatContext.Provider>
            )}
          </Match>
          <Match when={session().phase === 'signed_out'}>
            <SignPages />
          </Match>
        </Switch>
      </Suspense>
      <Toasts />
    </>
  );
}
