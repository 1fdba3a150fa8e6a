/** Paths of the scripts and style sheets that the Gateway's own page names: something to download through a forward. */
export function assetPaths(page: string): readonly string[] {
  const paths = [...page.matchAll(/(?:src|href)="\.?(\/?[^"]+\.(?:js|css))"/g)].map(([, path = '']) =>
    path.startsWith('/') ? path : `/${path}`,
  );
  if (paths.length === 0) throw new Error(`The Gateway's page names no files: ${page.slice(0, 500)}`);
  return paths;
}
