/**
 * The folder's layer: users, and how they and their programs come in.
 */
import { Layer } from "effect"
import { AdminKeys } from "./AdminKeys.ts"
import { ApiKeys } from "./ApiKeys.ts"
import { EmailAddresses } from "./EmailAddresses.ts"
import { ExternalLogins } from "./ExternalLogins.ts"
import { Invites } from "./Invites.ts"
import { KeyList } from "./KeyList.ts"
import { BuyerDetails } from "./BuyerDetails.ts"
import { Login } from "./Login.ts"
import { LoginSessions } from "./LoginSessions.ts"
import { MailDispatch } from "./MailDispatch.ts"
import { MailedRegistration } from "./MailedRegistration.ts"
import { PasskeyLogin } from "./PasskeyLogin.ts"
import { Passkeys } from "./Passkeys.ts"
import { PasswordLinks } from "./PasswordLinks.ts"
import { Reauthentication } from "./Reauthentication.ts"
import { SecondFactors } from "./SecondFactors.ts"
import { SignInProviders } from "./SignInProviders.ts"
import { SetupLinks } from "./SetupLinks.ts"
import { UserAdmin } from "./UserAdmin.ts"
import { Users } from "./Users.ts"

export const IdentityLayer = Layer.mergeAll(
  BuyerDetails.layer,
  Users.layer,
  UserAdmin.layer,
  AdminKeys.layer,
  LoginSessions.layer,
  Login.layer,
  PasskeyLogin.layer,
  Passkeys.layer,
  PasswordLinks.layer,
  SecondFactors.layer,
  EmailAddresses.layer,
  MailDispatch.layer,
  MailedRegistration.layer,
  ExternalLogins.layer,
  Reauthentication.layer,
  SignInProviders.layer,
  Invites.layer,
  KeyList.layer
).pipe(Layer.provideMerge(Layer.mergeAll(ApiKeys.layer, SetupLinks.layer)))
