import { useState } from 'react';
import type { DraftErrors } from '../../shared/draft-validation.ts';
import type { DraftField, GatewayDraft } from '../../shared/ipc-contract.ts';
import { useShown } from '../gangway-context.ts';
import {
  draftOf,
  pruneEdits,
  savedValues,
  visibleErrors,
  type FormEdits,
  type FormValues,
} from './connection-form.ts';

export interface ConnectionForm {
  readonly values: FormValues;
  readonly draft: GatewayDraft;
  readonly isDirty: boolean;
  /** Errors that are shown: of fields that were left or submitted, and what main said about the last submission. */
  readonly errors: DraftErrors;
  /** Rises with every refused submission, so that the focus moves to the first wrong field each time. */
  readonly refusals: number;
  /** Rises with every save. */
  readonly saves: number;
  readonly set: <F extends keyof FormValues>(field: F, value: FormValues[F]) => void;
  readonly leave: (field: DraftField) => void;
  /** Shows every error; true when there is none. */
  readonly check: () => boolean;
  readonly refuse: (errors: DraftErrors) => void;
  /** What was sent is saved: it shows until main's next snapshot says the same. */
  readonly markSaved: () => void;
}

/**
 * The connection form. It keeps only what the person changed, so that a pushed snapshot neither overwrites typing nor
 * is hidden by boxes that nobody touched.
 */
export function useConnectionForm(): ConnectionForm {
  const { gateway, snapshot } = useShown();
  const [edits, setEdits] = useState<FormEdits>({});
  const [left, setLeft] = useState<ReadonlySet<DraftField>>(new Set());
  const [refused, setRefused] = useState<DraftErrors>({});
  const [refusals, setRefusals] = useState(0);
  const [saves, setSaves] = useState(0);
  const [savedAt, setSavedAt] = useState<{ revision: number; values: FormValues } | null>(null);

  const fromMain = savedValues(gateway);
  const saved =
    savedAt !== null && snapshot.revision <= savedAt.revision
      ? { ...savedAt.values, token: null, password: null }
      : fromMain;
  const pending = pruneEdits(edits, saved);
  const values: FormValues = { ...saved, ...pending };
  const draft = draftOf(gateway.profile.id, values, saved);
  const found = visibleErrors(draft);
  const shown = Object.fromEntries(
    Object.entries({ ...refused, ...found }).filter(
      ([field]) => left.has(field as DraftField) || field in refused,
    ),
  );

  const refuse = (errors: DraftErrors): void => {
    setRefused(errors);
    setRefusals(refusals + 1);
  };
  return {
    values,
    draft,
    isDirty: Object.keys(pending).length > 0,
    errors: shown,
    refusals,
    saves,
    set(field, value) {
      setEdits({ ...pending, [field]: value });
      setRefused(field === 'mode' ? {} : without(refused, field));
      if (field === 'mode') setLeft(new Set());
    },
    leave(field) {
      if (!left.has(field)) setLeft(new Set([...left, field]));
    },
    check() {
      const errors = visibleErrors(draft);
      const isGood = Object.keys(errors).length === 0;
      if (isGood) setRefused({});
      else refuse(errors);
      return isGood;
    },
    refuse,
    markSaved() {
      setSaves(saves + 1);
      setSavedAt({ revision: snapshot.revision, values: valuesOf(draft, values) });
      setEdits({});
      setLeft(new Set());
      setRefused({});
    },
  };
}

/** What was sent, as the form shows it: trimmed, ports as numbers. */
function valuesOf(draft: GatewayDraft, values: FormValues): FormValues {
  return {
    ...values,
    name: draft.name,
    sshTarget: draft.sshTarget,
    identityFile: draft.identityFile,
    directUrl: draft.directUrl,
    gatewayPort: String(draft.gatewayPort),
    localPort: String(draft.localPort),
    localGatewayPort: String(draft.localGatewayPort),
  };
}

function without(errors: DraftErrors, field: keyof FormValues): DraftErrors {
  return Object.fromEntries(Object.entries(errors).filter(([name]) => name !== field));
}
