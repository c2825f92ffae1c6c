/**
 * The link to the form of something new.
 */
import { Icon } from "../ui/Icon.tsx"

export const NewLink = ({ href, text }: { readonly href: string; readonly text: string }) => (
  <a class="btn btn-primary" href={href}>
    <Icon name="plus" />
    {text}
  </a>
)
