/** The panel beside the timeline; over it on narrow screens; a page on a phone. */
import { Match, onCleanup, onMount, Show, Switch, type JSX } from 'solid-js';
import type { RoomView } from '../../model';
import { t } from '../../words';
import { isOurs } from '../keys';
import { giveFocusBack, openDialog } from '../layers';
import { Icon } from '../parts/Icon';
import { closePanel, isPhone, isWide, panel } from '../route';
import { Members } from './Members';
import { RoomSettings } from './RoomSettings';

function PanelBar(props: { title: string; sub?: string; children?: JSX.Element }) {
  return (
    <div class="bar">
      <button type="button" class="ib back" aria-label={t('room.backToRoom')} onClick={closePanel}>
        <Icon name="back" />
      </button>
      <h2 class="grow cut" role="heading" aria-level={isPhone() ? 1 : 2}>
        {props.title} <span class="sub">{props.sub}</span>
      </h2>
      {props.children}
      <button type="button" class="ib only-wide" aria-label={t('act.close')} onClick={closePanel}>
        <Icon name="x" />
      </button>
    </div>
  );
}

export default function SidePanel(props: { room: RoomView }) {
  let element!: HTMLDivElement;
  const opener = document.activeElement;
  onMount(() => {
    if (!isWide()) element.querySelector<HTMLElement>('button')?.focus();
  });
  onCleanup(() => {
    if (element.contains(document.activeElement)) giveFocusBack(opener);
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOurs(event) || isWide()) return;
    event.stopPropagation();
    closePanel();
  };
  return (
    <div
      class="panel"
      ref={element}
      role={isPhone() ? 'main' : 'complementary'}
      aria-label={panel() === 'room' ? t('panel.room') : t('panel.members')}
      data-region
      onKeyDown={onKeyDown}
    >
      <Switch>
        <Match when={panel() === 'members'}>
          <PanelBar title={t('panel.members')} sub={String(props.room.memberCount)}>
            <button type="button" class="ib" aria-label={t('panel.invite')} onClick={() => openDialog({ kind: 'invite', room: props.room })}>
              <Icon name="plus" />
            </button>
          </PanelBar>
          <Show when={props.room.id} keyed>
            <Members room={props.room} />
          </Show>
        </Match>
        <Match when={panel() === 'room'}>
          <PanelBar title={t('panel.room')} />
          <Show when={props.room.id} keyed>
            <RoomSettings room={props.room} />
          </Show>
        </Match>
      </Switch>
    </div>
  );
}
