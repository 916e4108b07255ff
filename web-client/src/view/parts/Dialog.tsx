/** A modal dialog over the page; on a phone a sheet from the bottom. */
import { createUniqueId, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { t } from '../../words';
import { closeDialog, giveFocusBack } from '../layers';
import { Icon } from './Icon';

interface DialogProps {
  readonly title: string;
  readonly lead?: JSX.Element;
  /** For what destroys something: read out as an alert, no cross, the focus on the safe button. */
  readonly alert?: boolean;
  /** Keeps one height while a list in it changes. */
  readonly tall?: boolean;
  readonly children: JSX.Element;
}

export function Dialog(props: DialogProps) {
  const id = createUniqueId();
  const opener = document.activeElement;
  let element!: HTMLDialogElement;
  onMount(() => {
    element.showModal();
    element.querySelector<HTMLElement>('[data-first]')?.focus();
  });
  let isOpen = true;
  onCleanup(() => {
    isOpen = false;
    // As long as it is modal nothing outside of it can take the focus.
    element.close();
    giveFocusBack(opener);
  });
  // A press that begins inside, on text being selected, and ends outside is no wish to close.
  let outside = false;
  return (
    <dialog
      ref={element}
      class="dlg"
      classList={{ tall: props.tall === true }}
      role={props.alert ? 'alertdialog' : undefined}
      aria-labelledby={`${id}-t`}
      aria-describedby={props.lead ? `${id}-d` : undefined}
      onCancel={(event) => {
        event.preventDefault();
        closeDialog();
      }}
      onClose={() => isOpen && closeDialog()}
      onPointerDown={(event) => (outside = event.target === element)}
      onClick={(event) => outside && event.target === element && closeDialog()}
    >
      <div class="dlg-in">
        <div class="dlg-top">
          <h2 class="grow" id={`${id}-t`}>
            {props.title}
          </h2>
          <Show when={!props.alert}>
            <button type="button" class="ib" aria-label={t('act.close')} onClick={closeDialog}>
              <Icon name="x" />
            </button>
          </Show>
        </div>
        <Show when={props.lead}>
          <p class="lead" id={`${id}-d`}>
            {props.lead}
          </p>
        </Show>
        {props.children}
      </div>
    </dialog>
  );
}

/** Asks before something is done that cannot be undone. The focus is on Cancel. */
export function Confirm(props: { title: string; lead: string; go: string; onGo: () => void }) {
  return (
    <Dialog title={props.title} lead={props.lead} alert>
      <div class="go">
        <button type="button" class="btn" data-first onClick={closeDialog}>
          {t('act.cancel')}
        </button>
        <button
          type="button"
          class="btn danger"
          onClick={() => {
            // First what was asked about, then the question goes, and what it was about with it.
            props.onGo();
            closeDialog();
          }}
        >
          {props.go}
        </button>
      </div>
    </Dialog>
  );
}
