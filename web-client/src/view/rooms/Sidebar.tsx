/** The list of rooms and people; on a phone a page of its own. */
import { createMemo, For, Show, type JSX } from 'solid-js';
import type { RoomView } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { commandKey } from '../keys';
import { openDialog, openMenu } from '../layers';
import { Strip } from '../Strip';
import { Icon, Mark } from '../parts/Icon';
import { Avatar, Name, nameOf } from '../parts/Person';
import { go, isPhone, paths } from '../route';
import { RoomLink } from './RoomLink';

function Skeletons() {
  const widths = ['w60', 'w40', 'w80', 'w60', 'w40', 'w60', 'w80', 'w40'];
  return (
    <div aria-hidden="true">
      <For each={widths}>
        {(width) => (
          <div class="sk-row">
            <span class="sk" />
            <span class={`sk ${width}`} />
          </div>
        )}
      </For>
    </div>
  );
}

function Section(props: { title: string; add: string; onAdd: () => void; rooms: readonly RoomView[]; empty: JSX.Element }) {
  return (
    <>
      <div class="sec">
        <h2>{props.title}</h2>
        <button type="button" class="ib" aria-label={props.add} onClick={() => props.onAdd()}>
          <Icon name="plus" small />
        </button>
      </div>
      <Show when={props.rooms.length > 0} fallback={<div class="none">{props.empty}</div>}>
        <ul>
          <For each={props.rooms}>
            {(room) => (
              <li>
                <RoomLink room={room} />
              </li>
            )}
          </For>
        </ul>
      </Show>
    </>
  );
}

function openNewMenu(event: MouseEvent & { currentTarget: HTMLElement }): void {
  openMenu({
    label: t('rooms.new'),
    at: event.currentTarget,
    items: [
      { icon: 'user', label: t('rooms.newDirect'), act: () => openDialog({ kind: 'direct' }) },
      { icon: 'hash', label: t('rooms.newRoom'), act: () => openDialog({ kind: 'create' }) },
      { icon: 'search', label: t('rooms.browse'), act: () => openDialog({ kind: 'browse' }) },
    ],
  });
}

function Brand() {
  const chat = useChat();
  const name = (): string => chat.state.server?.name ?? t('app.name');
  return (
    <div class="brand">
      <Mark />
      <Show when={isPhone()} fallback={<b class="cut grow">{name()}</b>}>
        <h1 class="cut grow">{name()}</h1>
      </Show>
      <button type="button" class="ib" aria-label={t('rooms.new')} aria-haspopup="menu" onClick={openNewMenu}>
        <Icon name="edit" />
      </button>
    </div>
  );
}

function Me() {
  const chat = useChat();
  const user = () => (chat.state.session.phase === 'in' ? chat.state.session.user : undefined);
  const standing = (): string => {
    const { state } = chat.state.connection;
    if (state === 'connected' || state === 'catching_up') return t('net.online');
    return state === 'blip' ? t('net.connecting') : t('net.away');
  };
  return (
    <div class="me">
      <Avatar user={user()} size={32} />
      <span class="grow">
        <b class="cut">
          <Name name={nameOf(user())} />
        </b>
        <small class="cut">{standing()}</small>
      </span>
      <button type="button" class="ib" aria-label={t('settings.title')} onClick={() => go(paths.settings(isPhone() ? 'menu' : 'profile'))}>
        <Icon name="gear" />
      </button>
    </div>
  );
}

export function Sidebar() {
  const chat = useChat();
  const rooms = createMemo(() => chat.state.rooms.filter((room) => room.kind !== 'direct'));
  const direct = createMemo(() => chat.state.rooms.filter((room) => room.kind === 'direct'));
  return (
    <div class="side" role={isPhone() ? 'main' : 'complementary'} aria-label={t('rooms.title')} data-region>
      <Brand />
      <button type="button" class="find" aria-keyshortcuts="Control+K" onClick={() => openDialog({ kind: 'jump' })}>
        <Icon name="search" small />
        {t('rooms.find')}
        <kbd aria-hidden="true">{commandKey} K</kbd>
      </button>
      <Show when={isPhone()}>
        <Strip />
      </Show>
      <nav class="list" aria-label={t('rooms.all')}>
        <Show when={chat.state.roomsKnown} fallback={<Skeletons />}>
          <Section
            title={t('rooms.title')}
            add={t('rooms.browse')}
            onAdd={() => openDialog({ kind: 'browse' })}
            rooms={rooms()}
            empty={
              <>
                {t('rooms.none')}
                <div class="go">
                  <button type="button" class="btn sm" onClick={() => openDialog({ kind: 'browse' })}>
                    {t('rooms.browse')}
                  </button>
                  <button type="button" class="btn sm" onClick={() => openDialog({ kind: 'create' })}>
                    {t('rooms.newRoom')}
                  </button>
                </div>
              </>
            }
          />
          <Section
            title={t('rooms.direct')}
            add={t('rooms.newDirect')}
            onAdd={() => openDialog({ kind: 'direct' })}
            rooms={direct()}
            empty={t('rooms.noneDirect')}
          />
        </Show>
      </nav>
      <Me />
    </div>
  );
}
