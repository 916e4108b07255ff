/** Who is in the room, as what; what may be done with each of them. */
import { createEffect, createMemo, For, Match, on, Show, Switch } from 'solid-js';
import type { Member, Outcome, Role, RoomView } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { failureWords } from '../failure';
import { openDialog, openMenu, toast, type MenuItem } from '../layers';
import { Avatar, Name, nameOf } from '../parts/Person';
import { go, paths } from '../route';

const rank: Record<Role, number> = { owner: 0, admin: 1, member: 2 };

function Skeletons() {
  return (
    <div role="status" aria-label={t('app.loading')}>
      <For each={['w60', 'w40', 'w80', 'w60', 'w40', 'w60']}>
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

export function Members(props: { room: RoomView }) {
  const chat = useChat();
  const view = () => chat.state.members[props.room.id];
  const me = () => (chat.state.session.phase === 'in' ? chat.state.session.user.id : undefined);
  const online = (): boolean => chat.state.connection.state === 'connected';
  createEffect(
    on(online, (now) => {
      if (now || !view()) void chat.loadMembers(props.room.id);
    }),
  );
  const sorted = createMemo(() =>
    (view()?.members ?? []).toSorted((a, b) => rank[a.role] - rank[b.role] || nameOf(a.user).localeCompare(nameOf(b.user))),
  );

  const say = (outcome: Outcome<unknown>): void => {
    if (!outcome.ok) toast(failureWords(outcome.failure));
  };
  const setRole = (member: Member, role: Role): void => void chat.setRole(props.room.id, member.user.id, role).then(say);
  const roleItems = (member: Member): MenuItem[] => {
    const mine = props.room.role;
    if (mine === 'member' || (member.role === 'owner' && mine !== 'owner')) return [];
    const items: (MenuItem | false)[] = [
      member.role !== 'owner' && mine === 'owner' && { icon: 'key', label: t('panel.makeOwner'), act: () => openDialog({ kind: 'owner', room: props.room, member }) },
      member.role !== 'admin' && { icon: 'key', label: t('panel.makeAdmin'), act: () => setRole(member, 'admin') },
      member.role !== 'member' && { icon: 'user', label: t('panel.makeMember'), act: () => setRole(member, 'member') },
      { icon: 'out', label: t('panel.remove'), bad: true, act: () => openDialog({ kind: 'remove', room: props.room, member }) },
    ];
    return items.filter((item) => item !== false);
  };
  const greet = async (member: Member): Promise<void> => {
    const outcome = await chat.createDirect(member.user.id);
    if (outcome.ok) go(paths.room(outcome.value.id));
    else say(outcome);
  };
  const open = (member: Member, at: HTMLElement): void =>
    openMenu({
      label: t('panel.memberActions', { name: nameOf(member.user) }),
      at,
      items: [{ icon: 'thread', label: t('panel.message'), act: () => void greet(member) }, ...(online() ? roleItems(member) : [])],
    });

  return (
    <div
      class="people"
      onScroll={({ currentTarget: list }) => {
        const nearEnd = list.scrollHeight - list.scrollTop - list.clientHeight < list.clientHeight;
        if (nearEnd && view()?.more && view()?.status === 'ready') void chat.loadMembers(props.room.id);
      }}
    >
      <Switch>
        <Match when={view()?.status === 'error' && sorted().length === 0}>
          <div class="said">
            {t('panel.failed')}{' '}
            <button type="button" class="lk" onClick={() => void chat.loadMembers(props.room.id)}>
              {t('act.retry')}
            </button>
          </div>
        </Match>
        <Match when={sorted().length === 0}>
          <Skeletons />
        </Match>
      </Switch>
      <Show when={!online()}>
        <p class="none">{t('panel.offline')}</p>
      </Show>
      <ul>
        <For each={sorted()}>
          {(member) => (
            <li>
              <Person member={member} me={member.user.id === me()} onOpen={(at) => open(member, at)} />
            </li>
          )}
        </For>
      </ul>
    </div>
  );
}

function Person(props: { member: Member; me: boolean; onOpen: (at: HTMLElement) => void }) {
  const content = (
    <>
      <Avatar user={props.member.user} size={28} />
      <span class="cut grow">
        <Name name={nameOf(props.member.user)} />
      </span>
      <Show when={props.member.role !== 'member'}>
        <span class="tag">{props.member.role === 'owner' ? t('role.owner') : t('role.admin')}</span>
      </Show>
      <Show when={props.me}>
        <span class="tag ok">{t('role.you')}</span>
      </Show>
    </>
  );
  return (
    <Show when={!props.me} fallback={<div class="pers">{content}</div>}>
      <button type="button" class="pers" aria-haspopup="menu" onClick={(event) => props.onOpen(event.currentTarget)}>
        {content}
      </button>
    </Show>
  );
}
