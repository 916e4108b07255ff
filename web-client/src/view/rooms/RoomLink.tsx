/** One room in the list: unread is bold with a dot, a count in direct rooms; its name says it all to a reader. */
import { createMemo, Show } from 'solid-js';
import { plainText, type RoomView } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { Icon } from '../parts/Icon';
import { cleanName, colourOf, nameOf, RoomSign } from '../parts/Person';
import { follow, isPhone, paths, route } from '../route';
import { listTime } from '../time';

/** Beyond this, "99+". */
const mostShown = 99;

export function titleOf(room: Pick<RoomView, 'title'>): string {
  return cleanName(room.title) || '…';
}

/** What stands under the name on a phone: the draft, else the newest message. */
function Preview(props: { room: RoomView }) {
  const chat = useChat();
  const me = () => (chat.state.session.phase === 'in' ? chat.state.session.user.id : undefined);
  const text = (): string => {
    const { last, kind } = props.room;
    if (!last) return t('rooms.empty');
    if (last.text === undefined) return t('rooms.recalled');
    const text = plainText(last.text);
    if (last.sender === me()) return t('rooms.you', { text });
    return kind === 'direct' ? text : t('rooms.by', { name: nameOf(chat.person(last.sender)), text });
  };
  return (
    <span class="pv cut">
      <Show when={props.room.draft} fallback={<bdi>{text()}</bdi>}>
        <span class="draft">{t('rooms.draft')}</span> <bdi>{plainText(chat.state.drafts[props.room.id]?.text ?? '')}</bdi>
      </Show>
    </span>
  );
}

export function RoomLink(props: { room: RoomView }) {
  const isHere = createMemo(() => {
    const now = route();
    return now.page === 'room' && now.room === props.room.id;
  });
  const unread = (): number => props.room.unread;
  const badge = (): string | undefined => {
    if (props.room.kind !== 'direct' || unread() === 0) return undefined;
    return unread() > mostShown ? `${mostShown}+` : String(unread());
  };
  const label = (): string =>
    [
      titleOf(props.room),
      ...(props.room.kind === 'group' ? [t('rooms.private')] : []),
      ...(unread() > 0 ? [t('rooms.unread', { n: unread() })] : []),
      ...(props.room.draft ? [t('rooms.draft')] : []),
    ].join(', ');
  return (
    <a
      class="room"
      classList={{ unread: unread() > 0 }}
      href={paths.room(props.room.id)}
      aria-current={isHere() ? 'page' : undefined}
      aria-label={label()}
      onClick={follow}
    >
      <RoomSign room={props.room} />
      <Show when={props.room.kind !== 'direct'}>
        <span class={`av ra ${colourOf(props.room.id)}`} aria-hidden="true">
          {props.room.kind === 'group' ? <Icon name="lock" /> : '#'}
        </span>
      </Show>
      <span class="n">
        <span class="ttl cut block" title={titleOf(props.room)}>
          <bdi>{titleOf(props.room)}</bdi>
        </span>
        <Show when={isPhone()}>
          <Preview room={props.room} />
        </Show>
      </span>
      <span class="end">
        <Show when={isPhone()}>
          <span class="when num">{listTime(props.room.activeAt)}</span>
        </Show>
        <Show when={props.room.refused > 0}>
          <Icon name="alert" small class="refused" />
        </Show>
        <Show when={props.room.draft && !isHere() && !isPhone()}>
          <span class="draft">{t('rooms.draft')}</span>
        </Show>
        <Show when={badge()}>
          {(count) => <span class="badge">{count()}</span>}
        </Show>
        <Show when={unread() > 0 && props.room.kind !== 'direct'}>
          <span class="dot" />
        </Show>
      </span>
    </a>
  );
}
