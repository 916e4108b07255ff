/** Draws what lies over the page. */
import { lazy, Match, onMount, Show, Suspense, Switch } from 'solid-js';
import type { Outcome } from '../model';
import { t } from '../words';
import { useChat } from './chat';
import { failureWords } from './failure';
import { dialog, menu, toast, type DialogView } from './layers';
import { whenIdle } from './idle';
import { Confirm } from './parts/Dialog';
import { Menu } from './parts/Menu';
import { nameOf } from './parts/Person';
import { titleOf } from './rooms/RoomLink';
import { go, paths } from './route';
import '../style/layers.css';

const CreateRoom = lazy(() => import('./dialogs/CreateRoom'));
const Browse = lazy(() => import('./dialogs/Browse'));
const Direct = lazy(() => import('./dialogs/Direct'));
const Jump = lazy(() => import('./dialogs/Jump'));
const Keys = lazy(() => import('./dialogs/Keys'));
const Invite = lazy(() => import('./dialogs/Invite'));

/** Loads the dialogs while nothing else is to be done, so that they are there without a connection too. */
function preloadDialogs(): void {
  for (const part of [Jump, Direct, Browse, CreateRoom, Invite, Keys]) void part.preload();
}

type Of<Kind extends DialogView['kind']> = Extract<DialogView, { kind: Kind }>;

function only<Kind extends DialogView['kind']>(kind: Kind): Of<Kind> | undefined {
  const view = dialog();
  return view?.kind === kind ? (view as Of<Kind>) : undefined;
}

/** Questions before something that cannot be undone. */
function Questions() {
  const chat = useChat();
  const say = (outcome: Outcome<unknown>): void => {
    if (!outcome.ok) toast(failureWords(outcome.failure));
  };
  return (
    <Switch>
      <Match when={only('recall')}>
        {(view) => (
          <Confirm
            title={t('recall.ask')}
            lead={t('recall.lead')}
            go={t('recall.go')}
            onGo={() => void chat.recall(view().room.id, view().row.seq)}
          />
        )}
      </Match>
      <Match when={only('leave')}>
        {(view) => (
          <Confirm
            title={t('panel.leaveAsk', { room: titleOf(view().room) })}
            lead={view().room.kind === 'channel' ? t('panel.leaveLead') : t('panel.leaveLeadPrivate')}
            go={t('panel.leaveGo')}
            onGo={() => {
              const title = titleOf(view().room);
              void chat.leaveRoom(view().room.id).then((outcome) => {
                if (!outcome.ok) return say(outcome);
                go(paths.home, { replace: true });
                toast(t('room.left', { room: title }));
              });
            }}
          />
        )}
      </Match>
      <Match when={only('remove')}>
        {(view) => (
          <Confirm
            title={t('panel.removeAsk', { name: nameOf(view().member.user), room: titleOf(view().room) })}
            lead={t('panel.removeLead')}
            go={t('panel.removeGo')}
            onGo={() => void chat.removeMember(view().room.id, view().member.user.id).then(say)}
          />
        )}
      </Match>
      <Match when={only('owner')}>
        {(view) => (
          <Confirm
            title={t('panel.ownerAsk', { name: nameOf(view().member.user) })}
            lead={t('panel.ownerLead')}
            go={t('panel.makeOwner')}
            onGo={() => void chat.setRole(view().room.id, view().member.user.id, 'owner').then(say)}
          />
        )}
      </Match>
      <Match when={only('sign-out')}>
        <Confirm
          title={t('settings.signOutAsk')}
          lead={t('settings.signOutLead')}
          go={t('settings.signOut')}
          onGo={() => void chat.logOut().then(() => go(paths.home, { replace: true }))}
        />
      </Match>
    </Switch>
  );
}

export default function Overlays() {
  onMount(() => whenIdle(preloadDialogs));
  return (
    <>
      <Suspense>
        <Switch fallback={<Questions />}>
          <Match when={only('create')}>
            <CreateRoom />
          </Match>
          <Match when={only('browse')}>
            <Browse />
          </Match>
          <Match when={only('direct')}>
            <Direct />
          </Match>
          <Match when={only('jump')}>
            <Jump />
          </Match>
          <Match when={only('keys')}>
            <Keys />
          </Match>
          <Match when={only('invite')}>{(view) => <Invite room={view().room} />}</Match>
        </Switch>
      </Suspense>
      <Show when={menu()} keyed>
        {(view) => <Menu view={view} />}
      </Show>
    </>
  );
}

