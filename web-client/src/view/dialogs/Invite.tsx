/** Bringing people into a room: by name, or with a link. */
import { createMemo, createSignal, For, Show } from 'solid-js';
import type { RoomView, User } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { closeDialog, toast } from '../layers';
import { copyText } from '../parts/copy';
import { Dialog } from '../parts/Dialog';
import { Icon } from '../parts/Icon';
import { Avatar, Name, nameOf } from '../parts/Person';
import { Pick } from '../parts/Pick';
import { titleOf } from '../rooms/RoomLink';
import { PersonLine } from './PersonLine';
import { createSearch } from './search';

function LinkPart(props: { room: RoomView }) {
  const chat = useChat();
  const [link, setLink] = createSignal<string>();
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  const make = async (): Promise<void> => {
    if (busy()) return;
    setBusy(true);
    const outcome = await chat.createInvite(props.room.id);
    setBusy(false);
    if (outcome.ok) setLink(chat.inviteLink(outcome.value.code));
    else setError(failureWords(outcome.failure));
  };
  return (
    <div class="fld">
      <div class="lb">{t('invite.link')}</div>
      <Show
        when={link()}
        fallback={
          <button type="button" class="btn" aria-disabled={busy()} onClick={() => void make()}>
            <Icon name="link" />
            {busy() ? t('invite.making') : t('invite.make')}
          </button>
        }
      >
        {(address) => (
          <div class="copy">
            <div class="ipt">
              <input readonly aria-label={t('invite.linkLabel')} value={address()} onFocus={(event) => event.currentTarget.select()} />
            </div>
            <button type="button" class="btn" onClick={() => void copyText(address(), t('invite.copied'))}>
              <Icon name="copy" />
              {t('act.copy')}
            </button>
          </div>
        )}
      </Show>
      <p class="hint" classList={{ err: error() !== undefined }} role={error() ? 'alert' : undefined}>
        <span>{error() ?? t('invite.linkLead')}</span>
      </p>
    </div>
  );
}

export default function Invite(props: { room: RoomView }) {
  const chat = useChat();
  const [query, setQuery] = createSignal('');
  const [chosen, setChosen] = createSignal<readonly User[]>([]);
  const [busy, setBusy] = createSignal(false);
  const search = createSearch(query);
  const inRoom = (user: User): boolean =>
    chat.state.members[props.room.id]?.members.some((member) => member.user.id === user.id) ?? false;
  const drop = (user: User): void => void setChosen((all) => all.filter(({ id }) => id !== user.id));
  const choices = createMemo(() => {
    const taken = new Set(chosen().map(({ id }) => id));
    return search
      .people()
      .filter(({ id }) => !taken.has(id))
      .map((user) => ({
        key: user.id,
        content: <PersonLine user={user} tag={inRoom(user) ? t('people.in') : undefined} />,
        take: () => {
          if (inRoom(user)) return;
          setChosen((all) => [...all, user]);
          setQuery('');
        },
      }));
  });
  const empty = (): string => {
    const failure = search.failure();
    if (failure) return failure.reason === 'unreachable' ? t('people.offline') : failureWords(failure);
    if (query().trim() === '') return t('people.start');
    return search.searching() ? t('people.searching') : t('people.nothing', { query: query().trim() });
  };
  const add = async (): Promise<void> => {
    if (busy() || chosen().length === 0) return;
    setBusy(true);
    const n = chosen().length;
    const outcome = await chat.addMembers(props.room.id, chosen().map(({ id }) => id));
    setBusy(false);
    if (!outcome.ok) return toast(failureWords(outcome.failure));
    closeDialog();
    toast(t('invite.sent', { n }));
  };

  return (
    <Dialog title={t('invite.title', { room: titleOf(props.room) })} tall>
      <Show when={chosen().length > 0}>
        <ul class="tokens">
          <For each={chosen()}>
            {(user) => (
              <li class="token">
                <Avatar user={user} size={20} />
                <Name name={nameOf(user)} />
                <button type="button" class="ib" aria-label={t('people.remove', { name: nameOf(user) })} onClick={() => drop(user)}>
                  <Icon name="x" small />
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Pick
        label={t('people.find')}
        query={query()}
        onQuery={setQuery}
        choices={choices()}
        listLabel={t('people.results')}
        empty={empty()}
        onBack={() => setChosen((all) => all.slice(0, -1))}
      />
      <LinkPart room={props.room} />
      <div class="go">
        <button type="button" class="btn" onClick={closeDialog}>
          {t('act.cancel')}
        </button>
        <button type="button" class="btn primary" disabled={chosen().length === 0} aria-disabled={busy()} onClick={() => void add()}>
          {busy() ? t('invite.adding') : chosen().length > 0 ? t('invite.add', { n: chosen().length }) : t('invite.addNone')}
        </button>
      </div>
    </Dialog>
  );
}
