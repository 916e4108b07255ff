/** One room: its bar, the strip, the timeline, the composer. */
import { Show, type Accessor } from 'solid-js';
import type { RoomView } from '../model';
import { t } from '../words';
import { useChat } from './chat';
import { Composer } from './composer/Composer';
import { createDesk, DeskContext, type Desk } from './desk';
import { Icon } from './parts/Icon';
import { Avatar, nameOf } from './parts/Person';
import { titleOf } from './rooms/RoomLink';
import { closePanel, goBack, openPanel, panel, paths, type Panel } from './route';
import { Strip } from './Strip';
import { Skeletons } from './timeline/Edges';
import { Timeline } from './timeline/Timeline';

function PanelButton(props: { name: Panel; label: string; icon: 'people' | 'more' }) {
  const isOpen = (): boolean => panel() === props.name;
  return (
    <button
      type="button"
      class="ib"
      aria-label={props.label}
      aria-expanded={isOpen()}
      onClick={() => (isOpen() ? closePanel() : openPanel(props.name))}
    >
      <Icon name={props.icon} />
    </button>
  );
}

function RoomBar(props: { room: RoomView }) {
  const isDirect = (): boolean => props.room.kind === 'direct';
  const sub = (): string => {
    if (isDirect()) return t('room.person', { username: props.room.peer?.username ?? '' });
    const members = t('room.members', { n: props.room.memberCount });
    return props.room.topic ? `${members} · ${props.room.topic}` : members;
  };
  return (
    <header class="bar" data-region>
      <button type="button" class="ib back" aria-label={t('room.backToRooms')} onClick={() => goBack(paths.home)}>
        <Icon name="back" />
      </button>
      <Show when={isDirect()} fallback={<Icon name={props.room.kind === 'group' ? 'lock' : 'hash'} class="kind only-wide" />}>
        <Avatar user={props.room.peer} size={32} />
      </Show>
      <div class="grow">
        <h1 class="cut ttl" title={titleOf(props.room)}>
          <bdi>{isDirect() ? nameOf(props.room.peer) : titleOf(props.room)}</bdi>
        </h1>
        <span class="sub cut block" title={sub()}>
          {sub()}
        </span>
      </div>
      <Show when={!isDirect()}>
        <PanelButton name="members" label={t('room.showMembers')} icon="people" />
        <PanelButton name="room" label={t('room.settings')} icon="more" />
      </Show>
    </header>
  );
}

export function Room(props: { room: Accessor<RoomView>; onDesk: (desk: Desk) => void }) {
  const chat = useChat();
  const desk = createDesk(chat, props.room);
  props.onDesk(desk);
  const timeline = () => chat.state.timelines[props.room().id];
  const onSent = (): void => {
    const { id } = props.room();
    chat.clearUnreadLine(id);
    desk.toEnd();
  };
  return (
    <DeskContext.Provider value={desk}>
      <RoomBar room={props.room()} />
      <Strip />
      <Show
        when={timeline()}
        fallback={
          <div class="tl-wrap">
            <Skeletons />
          </div>
        }
      >
        {(view) => <Timeline timeline={view()} />}
      </Show>
      <Composer timeline={timeline()} onSent={onSent} />
    </DeskContext.Provider>
  );
}
