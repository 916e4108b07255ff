/** Lines that are no messages: what happened in the room, days, the unread line, the start. */
import { createMemo, Show, type JSX } from 'solid-js';
import type { Role, Row } from '../../model';
import { say, t } from '../../words';
import { useChat } from '../chat';
import { useDesk } from '../desk';
import { openDialog } from '../layers';
import { Icon } from '../parts/Icon';
import { cleanName, Name, nameOf } from '../parts/Person';
import { titleOf } from '../rooms/RoomLink';
import { clock, dayTitle, fullTime } from '../time';
import { useActions } from './actions';

const roles: Record<Role, () => string> = {
  owner: () => t('role.asOwner'),
  admin: () => t('role.asAdmin'),
  member: () => t('role.asMember'),
};

export function SystemLine(props: { row: Row }) {
  const chat = useChat();
  const desk = useDesk();
  const actions = useActions();
  const words = createMemo((): JSX.Element => {
    const { entry, sender } = props.row;
    const a = <Name name={nameOf(chat.person(sender))} />;
    switch (entry?.kind) {
      case 'room_created':
        return desk.room().kind === 'direct' ? say('sys.createdDirect', { a }) : say('sys.created', { a, room: <bdi>{cleanName(entry.name)}</bdi> });
      case 'room_updated':
        return say('sys.updated', { a, what: <bdi>{[entry.name, entry.topic].map(cleanName).filter(Boolean).join(' · ')}</bdi> });
      case 'member_joined':
        return say('sys.join', { a: <Name name={nameOf(entry.user)} /> });
      case 'member_added':
        return say('sys.add', { a, b: <Name name={nameOf(entry.user)} /> });
      case 'member_left':
        return say('sys.leave', { a: <Name name={nameOf(entry.user)} /> });
      case 'member_removed':
        return say('sys.remove', { a, b: <Name name={nameOf(entry.user)} /> });
      case 'role_changed':
        return say('sys.role', { a, b: <Name name={nameOf(chat.person(entry.user))} />, role: roles[entry.role]() });
      default:
        return null;
    }
  });
  return (
    <div class="sys" data-row={props.row.id} tabindex={actions.current() === props.row.id ? 0 : -1}>
      <Icon name={props.row.kind === 'room_updated' ? 'edit' : 'people'} />
      <span>
        {words()} ·{' '}
        <time class="num" dateTime={new Date(props.row.at).toISOString()} title={fullTime(props.row.at)}>
          {clock(props.row.at)}
        </time>
      </span>
    </div>
  );
}

export function GoneLine(props: { row: Row; count: number }) {
  return (
    <div class="sys" data-row={props.row.id} tabindex="-1">
      <Icon name="undo" />
      <span>{t('recall.lines', { n: props.count })}</span>
    </div>
  );
}

export function DayLine(props: { at: number }) {
  return (
    <div class="day" role="separator">
      <span>{dayTitle(props.at)}</span>
    </div>
  );
}

export function NewLine() {
  return (
    <div class="new" role="separator">
      {t('timeline.new')}
    </div>
  );
}

export function ReloadedLine() {
  return (
    <div class="sys">
      <Icon name="retry" />
      <span>{t('net.reloaded')}</span>
    </div>
  );
}

/** The block above the first message of a room. */
export function StartBlock() {
  const desk = useDesk();
  const alone = (): boolean => desk.room().kind !== 'direct' && desk.room().memberCount <= 1;
  const title = (): string => {
    const room = desk.room();
    return room.kind === 'direct' ? t('timeline.startDirect', { name: nameOf(room.peer) }) : t('timeline.start', { room: titleOf(room) });
  };
  const lead = (): string => {
    if (desk.room().kind === 'direct') return t('timeline.startDirectLead');
    return alone() ? t('timeline.startAlone') : desk.room().topic || t('timeline.startLead');
  };
  return (
    <div class="start">
      <h2>{title()}</h2>
      <p class="lead">{lead()}</p>
      <Show when={alone()}>
        <div class="go">
          <button type="button" class="btn primary" onClick={() => openDialog({ kind: 'invite', room: desk.room() })}>
            {t('panel.invite')}
          </button>
        </div>
      </Show>
    </div>
  );
}
