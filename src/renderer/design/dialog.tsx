import { useEffect, useId, useRef, type ReactElement, type ReactNode } from 'react';

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
 * A modal question. The platform's own modal dialog keeps the focus inside, makes everything behind it inert, closes on
 * Escape and gives the focus back. The control that carries `data-autofocus` gets the focus first.
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
      if (dialog.open) dialog.close();
      // Without a jump: what the answer led to may be in sight elsewhere.
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [isInterrupting]);

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
      className="dialog"
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
