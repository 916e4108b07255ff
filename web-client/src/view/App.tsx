/** Which page is shown: by who is signed in, then by the address. */
import { createEffect, lazy, Match, Suspense, Switch } from 'solid-js';
import { useChat } from './chat';
import { Ended } from './Ended';
import { Toasts } from './parts/Toasts';
import { closeDialog, closeMenu } from './layers';
import { go, invitation, route } from './route';
import { SignIn } from './sign/SignIn';
import { SignUp } from './sign/SignUp';

const ChatPage = lazy(() => import('./ChatPage'));
const SettingsPage = lazy(() => import('./settings/SettingsPage'));
const InvitePage = lazy(() => import('./InvitePage'));

export function App() {
  const chat = useChat();
  const session = () => chat.state.session;
  const ended = () => {
    const now = session();
    return now.phase === 'ended' ? now : undefined;
  };
  const inviteCode = (): string | undefined => {
    const now = route();
    return now.page === 'invite' ? now.code : undefined;
  };

  createEffect(() => {
    const { phase } = session();
    if (phase !== 'in') {
      closeDialog();
      closeMenu();
      return;
    }
    // Signed in on the way to an invitation: on with it. The page to sign up at is behind us.
    const code = invitation();
    const { page } = route();
    if (code !== undefined && page !== 'invite') go(`/invite/${encodeURIComponent(code)}`, { replace: true });
    else if (page === 'sign-up') go('/', { replace: true });
  });

  return (
    <>
      <Suspense fallback={<div class="boot" />}>
        <Switch>
          <Match when={ended()}>{(now) => <Ended end={now().end} kept={now().kept} />}</Match>
          <Match when={session().phase === 'signed_out' && route().page === 'sign-up'}>
            <SignUp />
          </Match>
          <Match when={session().phase === 'signed_out'}>
            <SignIn />
          </Match>
          <Match when={session().phase === 'in' && inviteCode()}>{(code) => <InvitePage code={code()} />}</Match>
          <Match when={session().phase === 'in' && route().page === 'settings'}>
            <SettingsPage />
          </Match>
          <Match when={session().phase === 'in'}>
            <ChatPage />
          </Match>
        </Switch>
      </Suspense>
      <Toasts />
    </>
  );
}
