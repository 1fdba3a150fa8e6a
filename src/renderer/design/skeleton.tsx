import type { ReactElement } from 'react';

/** Grey bars in place of content that is on its way; `label` tells screen readers so. */
export function Skeleton({ label, rows }: { readonly label: string; readonly rows: number }): ReactElement {
  return (
    <div className="skeletons" aria-busy="true">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="skeleton" data-width={index % 3} aria-hidden="true" />
      ))}
    </div>
  );
}
