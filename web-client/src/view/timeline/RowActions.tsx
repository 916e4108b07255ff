/** The toolbar over the end of a row: one tab stop, the arrow keys move in it. */
import { Show } from 'solid-js';
import type { Row } from '../../model';
import { t } from '../../words';
import { useDesk } from '../desk';
import { isOurs } from '../keys';
import { Icon } from '../parts/Icon';
import { useActions } from './actions';

export function RowActions(props: { row: Row }) {
  const desk = useDesk();
  const actions = useActions();
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0 || !isOurs(event)) return;
    const buttons = [...event.currentTarget.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
    event.preventDefault();
  };
  return (
    <Show when={actions.canReply(props.row)}>
      <div class="acts" role="toolbar" aria-label={t('message.actions')} onKeyDown={onKeyDown}>
        <button type="button" class="ib" aria-label={t('message.reply')} title={t('message.reply')} onClick={() => desk.reply(props.row.seq)}>
          <Icon name="reply" />
        </button>
        <Show when={actions.canEdit(props.row)}>
          <button type="button" class="ib" tabindex="-1" aria-label={t('message.edit')} title={t('message.edit')} onClick={() => desk.edit(props.row)}>
            <Icon name="edit" />
          </button>
        </Show>
        <button
          type="button"
          class="ib"
          tabindex="-1"
          aria-label={t('message.more')}
          title={t('message.more')}
          aria-haspopup="menu"
          aria-expanded={actions.held() === props.row.id}
          onClick={(event) => actions.menu(props.row, event.currentTarget)}
        >
          <Icon name="more" />
        </button>
      </div>
    </Show>
  );
}
