/** The chat: rooms, the open one, a panel. Keeps the address, the model and the page's title in step. */
import { createEffect, createMemo, createSignal, lazy, on, onCleanup, onMount, Show, Suspense, untrack, type Accessor } from 'solid-js';
import type { RoomView } from '../model';
import { t } from '../words';
import { Announcer } from './Announcer';
import { useChat } from './chat';
import type { Desk } from './desk';
import { failureWords } from './failure';
import { openDialog, toast } from './layers';
import { Icon } from './parts/Icon';
import { cleanName } from './parts/Person';
import { keep, kept } from './preferences';
import { Room } from './Room';
import { Sidebar } from './rooms/Sidebar';
import { titleOf } from './rooms/RoomLink';
import { closePanel, go, isPhone, isWide, panel, paths, route } from './route';
import { createShortcuts } from './shortcuts';
import { whenIdle } from './idle';
import '../style/shell.css';
import '../style/timeline.css';
import '../style/composer.css';

const Overlays = lazy(() => import('./Overlays'));
const SidePanel = lazy(() => import('./panel/SidePanel'));

/** Where no room is shown: none chosen yet, or one that is not, or no longer, mine. */
function NoRoom(props: { removedFrom: string | undefined; unknown: boolean }) {
  const title = (): string => {
    if (props.removedFrom !== undefined) return t('room.removed', { room: props.removedFrom });
    return props.unknown ? t('rooms.gone') : t('rooms.welcome');
  };
  const lead = (): string => {
    if (props.removedFrom !== undefined) return t('composer.gone');
    return props.unknown ? t('rooms.goneLead') : t('rooms.welcomeLead');
  };
  return (
    <>
      <Show when={isPhone()}>
        <header class="bar">
          <button type="button" class="ib back" aria-label={t('room.backToRooms')} onClick={() => go(paths.home)}>
            <Icon name="back" />
          </button>
        </header>
      </Show>
      <div class="empty">
        <div>
          <div class="glyph">
            <Icon name={props.removedFrom === undefined ? 'thread' : 'out'} />
          </div>
          <h1>{title()}</h1>
          <p class="lead">{lead()}</p>
          <div class="go">
            <button type="button" class="btn primary" onClick={() => openDialog({ kind: 'browse' })}>
              {t('rooms.browse')}
            </button>
            <button type="button" class="btn" onClick={() => openDialog({ kind: 'create' })}>
              {t('rooms.newRoom')}
            </button>
          </div>
        </div>
      </div>
    </>
  );
}

/** The room of the address, if it is one of mine. */
function createOpenRoom(): Accessor<RoomView | undefined> {
  const chat = useChat();
  const open = createMemo(() => {
    const now = route();
    return now.page === 'room' ? now : undefined;
  });
  const room = createMemo(() => chat.state.rooms.find((one) => one.id === open()?.room));
  const isMine = createMemo(() => room() !== undefined);

  createEffect(
    on([open, isMine], ([now, mine]) => {
      if (!now || !mine) return chat.closeRoom();
      keep('hubbub.last-room', now.room);
      chat.openRoom(now.room, now.seq);
      // The address of a message is left once it was gone to, so that a reload opens the room where it was.
      if (now.seq !== undefined) go(paths.room(now.room), { replace: true });
    }),
  );
  // With room for two panes there is always one open: where the person was last.
  createEffect(() => {
    if (isPhone() || route().page !== 'home' || !chat.state.roomsKnown) return;
    const last = untrack(() => chat.state.rooms).find((one) => one.id === kept('hubbub.last-room'));
    if (last) go(paths.room(last.id), { replace: true });
  });
  return room;
}

function createTitle(room: Accessor<RoomView | undefined>): void {
  const chat = useChat();
  createEffect(() => {
    const now = room();
    const name = now ? titleOf(now) : (chat.state.server?.name ?? t('rooms.title'));
    const { attention } = chat.state;
    document.title = `${attention > 0 ? `(${attention}) ` : ''}${name} · ${t('app.name')}`;
  });
}

export default function ChatPage() {
  const chat = useChat();
  const room = createOpenRoom();
  createTitle(room);
  const [desk, setDesk] = createSignal<Desk>();
  const [removedFrom, setRemovedFrom] = createSignal<{ room: string; title: string }>();
  createShortcuts({ room, desk });
  onMount(() =>
    whenIdle(() => {
      void SidePanel.preload();
      // The end of a session must be told without asking the server for the page that tells it.
      void import('./sign/Ended');
    }),
  );
  createEffect(on(() => room()?.id, () => !isWide() && !isPhone() && closePanel(), { defer: true }));

  onCleanup(
    chat.onNotice((notice) => {
      if (notice.type === 'removed') {
        const title = cleanName(notice.title);
        const now = route();
        if (now.page === 'room' && now.room === notice.room) setRemovedFrom({ room: notice.room, title });
        else toast(t('room.removed', { room: title }));
      } else if (notice.type === 'edit_refused') {
        toast(t('error.editRefused', { why: failureWords(notice.failure) }));
        const now = desk();
        if (now && now.room().id === notice.room) now.edit({ seq: notice.seq, text: notice.text });
      } else if (notice.type === 'recall_refused') toast(t('error.recallRefused', { why: failureWords(notice.failure) }));
      else if (notice.type === 'not_kept') toast(t('error.not_kept'));
    }),
  );

  const pane = (): string => {
    if (panel() && room() && room()?.kind !== 'direct') return 'panel';
    return route().page === 'room' ? 'room' : 'rooms';
  };
  const withPanel = (): RoomView | undefined => (panel() && room()?.kind !== 'direct' ? room() : undefined);
  const wasRemoved = (): string | undefined => {
    const now = route();
    const from = removedFrom();
    return now.page === 'room' && from?.room === now.room ? from.title : undefined;
  };

  return (
    <>
      <Show when={room()}>
        <a class="btn skip" href="#main" onClick={(event) => (event.preventDefault(), desk()?.focus())}>
          {t('app.skip')}
        </a>
      </Show>
      <div class="app" data-pane={pane()}>
        <Sidebar />
        <Show when={!isPhone() || pane() !== 'rooms'}>
          <main class="main" id="main" hidden={isPhone() && pane() === 'panel'}>
            <Show when={room()?.id} keyed fallback={
                <Show when={chat.state.roomsKnown}>
                  <NoRoom removedFrom={wasRemoved()} unknown={route().page === 'room'} />
                </Show>
              }>
              <Room room={() => room() as RoomView} onDesk={setDesk} />
            </Show>
          </main>
        </Show>
        <Show when={withPanel()}>
          {(now) => (
            <Suspense>
              <SidePanel room={now()} />
            </Suspense>
          )}
        </Show>
      </div>
      <Announcer />
      <Suspense>
        <Overlays />
      </Suspense>
    </>
  );
}
