import { Component, type ErrorInfo, type ReactNode } from 'react';
import { Button } from '../design/button.tsx';

interface ErrorBoundaryProps {
  readonly texts: {
    readonly title: string;
    readonly text: string;
    readonly reload: string;
    readonly details: string;
  };
  readonly children: ReactNode;
}

/** Keeps a bug in one screen from leaving an empty window: says what it means and offers to load the window anew. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error('The window stopped working', error, info.componentStack);
  }

  override render(): ReactNode {
    const { error } = this.state;
    const { texts } = this.props;
    if (error === null) return this.props.children;
    return (
      <main className="window__screen">
        <div className="empty" role="alert">
          <h1 className="empty__title">{texts.title}</h1>
          <p className="empty__text">{texts.text}</p>
          <div className="empty__actions">
            <Button look="primary" onClick={() => window.location.reload()}>
              {texts.reload}
            </Button>
          </div>
          <details className="details">
            <summary>{texts.details}</summary>
            <div className="details__body">
              <pre>{error.message}</pre>
            </div>
          </details>
        </div>
      </main>
    );
  }
}
