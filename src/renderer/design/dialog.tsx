import { useContext, useEffect, useId, useRef, type ReactElement, type ReactNode } from 'react';
import { DialogMannerContext } from './dialog-manner.ts';

interface DialogProps {
  readonly title: string;
  /** `alertdialog` where something is at stake and the person must answer. */
  readonly role?: 'dialog' | 'alertdialog';
  readonly onCancel: () => void;
  readonly children: ReactNode;
  readonly actions: ReactNode;
  /** Makes the dialog a form: Enter submits. */
  readonly onSubmit?: () => void;
  /** It came while the person typed elsewhere: the title gets the focus, so that no control takes the next key. */
  readonly isInterrupting?: boolean;
}

/**
 * A modal question. The platform's own modal dialog keeps the focus inside, makes everything behind it inert and closes on
 * Escape. The control that carries `data-autofocus` gets the focus first; what gets it afterwards is the manner's to say.
 */
export function Dialog({
  title,
  role = 'dialog',
  onCancel,
  children,
  actions,
  onSubmit,
  isInterrupting = false,
}: DialogProps): ReactElement {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const { comesAtOnce, giveFocusBack } = useContext(DialogMannerContext);

  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return undefined;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    const first = isInterrupting ? '.dialog__title' : '[data-autofocus]';
    dialog.querySelector<HTMLElement>(first)?.focus({ preventScroll: true });
    // Where the dialog is taller than the window, it is read from its beginning.
    dialog.scrollTop = 0;
    return () => {
      // One that is out of the document is closed: its close() would only give the focus back to any field.
      if (dialog.isConnected && dialog.open) dialog.close();
      giveFocusBack(before);
    };
  }, [isInterrupting, giveFocusBack]);

  const content = (
    <>
      <h2 className="dialog__title" id={titleId} tabIndex={isInterrupting ? -1 : undefined}>
        {title}
      </h2>
      {children}
      <div className="dialog__actions">{actions}</div>
    </>
  );
  return (
    <dialog
      ref={ref}
      className={comesAtOnce ? 'dialog dialog--at-once' : 'dialog'}
      role={role}
      aria-modal="true"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
    >
      {onSubmit === undefined ? (
        <div className="dialog__inner">{content}</div>
      ) : (
        <form
          className="dialog__inner"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {content}
        </form>
      )}
    </dialog>
  );
}
