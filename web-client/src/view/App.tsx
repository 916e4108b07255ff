/** Which page is shown: by who is signed in, then by the address. */
import { createEffect, lazy, Match, Show, Suspense, Switch } from 'solid-js';
import type { Chat, SessionView } from '../model';
import { ChatContext, useArriving } from './chat';
import { Ended } from './Ended';
import { Toasts } from './parts/Toasts';
import { closeDialog, closeMenu } from './layers';
import { keep, kept } from './preferences';
import { go, invitation, route } from './route';
import { SignIn } from './sign/SignIn';
import { SignUp } from './sign/SignUp';

const ChatPage = lazy(() => import('./ChatPage'));
const SettingsPage = lazy(() => import('./settings/SettingsPage'));
const InvitePage = lazy(() => import('./InvitePage'));

const signedInKey = 'hubbub.signed-in';

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

function WithChat(props: { chat: Chat; session: SessionView }) {
  const ended = () => (props.session.phase === 'ended' ? props.session : undefined);
  return (
    <ChatContext.Provider value={props.chat}>
      <Suspense fallback={<div class="boot" />}>
        <Show when={ended()} fallback={<Inside />}>
          {(now) => <Ended end={now().end} kept={now().kept} />}
        </Show>
      </Suspense>
    </ChatContext.Provider>
  );
}

export function App() {
  const arriving = useArriving();
  const session = (): SessionView => {
    const chat = arriving.now();
    if (chat) return chat.state.session;
    // Before the model is there: what the last page on this device was.
    return kept(signedInKey) === 'true' ? { phase: 'starting' } : { phase: 'signed_out', username: undefined };
  };
  const withChat = () => {
    const chat = arriving.now();
    const { phase } = session();
    return chat && (phase === 'in' || phase === 'ended') ? chat : undefined;
  };
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
      <Switch>
        <Match when={withChat()}>{(chat) => <WithChat chat={chat()} session={session()} />}</Match>
        <Match when={session().phase === 'signed_out' && route().page === 'sign-up'}>
          <SignUp />
        </Match>
        <Match when={session().phase === 'signed_out'}>
          <SignIn />
        </Match>
      </Switch>
      <Toasts />
    </>
  );
}
