/**
 * A text that somebody wrote, with its addresses as links.
 */

const address = /(https?:\/\/[^\s<>"'，。；）)]+)/

/** `split` by a pattern with one group alternates between text and what matched. */
export const Linked = ({ text }: { readonly text: string }) => (
  <>
    {text.split(address).map((part, at) =>
      at % 2 === 1 ? <a key={at} href={part} rel="noopener noreferrer" target="_blank">{part}</a> : part
    )}
  </>
)
