/** Style sheets are bundled as text. */
declare module "*.css" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is how a bundler hands over a text
  export default text;
}
