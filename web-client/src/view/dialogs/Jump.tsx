/** Ctrl K: any room or person by a few letters. */
import { createMemo, createSignal } from 'solid-js';
import type { RoomView, User } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { closeDialog, toast } from '../layers';
import { Dialog } from '../parts/Dialog';
import { RoomSign } from '../parts/Person';
import { Pick, type Choice } from '../parts/Pick';
import { titleOf } from '../rooms/RoomLink';
import { go, paths } from '../route';
import { PersonLine } from './PersonLine';
import { createSearch } from './search';

const mostRooms = 30;

/** Where `query` stands in a room's title or its peer's username; the earlier the better, -1 for nowhere. */
function rank(room: RoomView, query: string): number {
  const title = titleOf(room).toLowerCase().indexOf(query);
  return title >= 0 ? title : (room.peer?.username.indexOf(query) ?? -1);
}

export default function Jump() {
  const chat = useChat();
  const [query, setQuery] = createSignal('');
  const search = createSearch(query);
  const open = (id: string): void => {
    closeDialog();
    go(paths.room(id));
  };
  const greet = async (user: User): Promise<void> => {
    const outcome = await chat.createDirect(user.id);
    if (outcome.ok) open(outcome.value.id);
    else toast(failureWords(outcome.failure));
  };
  const rooms = createMemo(() => {
    const words = query().trim().toLowerCase();
    return chat.state.rooms
      .map((room) => ({ room, at: rank(room, words) }))
      .filter(({ at }) => at >= 0)
      .toSorted((a, b) => (words === '' ? 0 : a.at - b.at))
      .slice(0, mostRooms)
      .map(({ room }) => room);
  });
  const choices = createMemo((): readonly Choice[] => {
    const known = new Set(rooms().map((room) => room.peer?.id));
    return [
      ...rooms().map((room) => ({
        key: room.id,
        group: t('jump.rooms'),
        content: (
          <>
            <RoomSign room={room} />
            <span class="cut grow">
              <bdi>{titleOf(room)}</bdi>
            </span>
            {room.unread > 0 ? <span class="tag">{t('rooms.unread', { n: room.unread })}</span> : null}
          </>
        ),
        take: () => open(room.id),
      })),
      ...search
        .people()
        .filter(({ id }) => !known.has(id))
        .map((user) => ({ key: user.id, group: t('jump.people'), content: <PersonLine user={user} />, take: () => void greet(user) })),
    ];
  });
  return (
    <Dialog title={t('jump.title')} tall>
      <Pick
        label={t('jump.find')}
        query={query()}
        onQuery={setQuery}
        choices={choices()}
        listLabel={t('jump.title')}
        empty={search.searching() ? t('people.searching') : query().trim() ? t('jump.nothing', { query: query().trim() }) : t('rooms.none')}
      />
    </Dialog>
  );
}
