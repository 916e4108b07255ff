/** Open rooms to join. */
import { createMemo, createResource, createSignal } from 'solid-js';
import type { PublicRoom } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { closeDialog, openDialog, toast } from '../layers';
import { Dialog } from '../parts/Dialog';
import { Icon } from '../parts/Icon';
import { cleanName } from '../parts/Person';
import { Pick } from '../parts/Pick';
import { go, paths } from '../route';

function Line(props: { room: PublicRoom; joining: boolean }) {
  const state = (): string => {
    if (props.joining) return t('browse.joining');
    return props.room.joined ? t('browse.joined') : t('browse.join');
  };
  return (
    <>
      <Icon name="hash" />
      <span class="cut grow">
        <bdi>{cleanName(props.room.name)}</bdi>{' '}
        <small>
          {t('room.members', { n: props.room.member_count })}
          {props.room.topic ? ` · ${cleanName(props.room.topic)}` : ''}
        </small>
      </span>
      <span class="tag" classList={{ ok: props.room.joined }}>
        {state()}
      </span>
    </>
  );
}

export default function Browse() {
  const chat = useChat();
  const [query, setQuery] = createSignal('');
  const [joining, setJoining] = createSignal<string>();
  const [found] = createResource(
    () => ({ query: query().trim() }),
    ({ query }) => chat.browseChannels(query || undefined),
  );
  const rooms = (): readonly PublicRoom[] => {
    const outcome = found.latest;
    return outcome?.ok ? outcome.value : [];
  };
  const take = async (room: PublicRoom): Promise<void> => {
    if (joining()) return;
    if (!room.joined) {
      setJoining(room.id);
      const outcome = await chat.joinRoom({ room: room.id });
      setJoining(undefined);
      if (!outcome.ok) return toast(failureWords(outcome.failure));
    }
    closeDialog();
    go(paths.room(room.id));
  };
  const choices = createMemo(() =>
    rooms().map((room) => ({ key: room.id, content: <Line room={room} joining={joining() === room.id} />, take: () => void take(room) })),
  );
  const empty = (): string => {
    const outcome = found.latest;
    if (outcome && !outcome.ok) return outcome.failure.reason === 'unreachable' ? t('browse.offline') : failureWords(outcome.failure);
    if (!outcome) return t('app.loading');
    return query().trim() ? t('browse.nothing', { query: query().trim() }) : t('browse.none');
  };
  return (
    <Dialog title={t('browse.title')} tall>
      <Pick
        label={t('browse.find')}
        query={query()}
        onQuery={setQuery}
        choices={choices()}
        listLabel={t('browse.title')}
        empty={empty()}
      />
      <div class="go">
        <button type="button" class="btn" onClick={() => openDialog({ kind: 'create' })}>
          <Icon name="plus" />
          {t('rooms.newRoom')}
        </button>
      </div>
    </Dialog>
  );
}
