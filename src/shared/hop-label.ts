/** A hop as people know it: what they call it, and its address (HostName, or its HostKeyAlias) where that is another. */
export function hopLabel(name: string, address: string): string {
  return name.toLowerCase() === address.toLowerCase() ? address : `${name} (${address})`;
}
