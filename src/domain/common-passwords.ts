/**
 * What people choose when they are asked for a password, in lower case: from lists of leaked passwords, the words that
 * stand in most of them. Small on purpose: with fifteen characters asked for, a guesser has to join such words, and
 * `passwordProblem` takes each of them out wherever it stands.
 */
export const COMMON_PASSWORDS: readonly string[] = [
  "123123 1q2w3e4r 1qaz 2wsx 3edc 4rfv 5tgb qazwsx zaq12wsx q1w2e3r4 a1b2c3d4 abc123 asdf qwer zxcv",
  "password passwort passphrase passcode passwd motdepasse contrasena senha parola haslo wachtwoord losenord",
  "admin administrator root user username account login logon letmein letmeinnow opensesame access changeme",
  "changeit default guest master manager operator reviewer auditor secret secure security system server test",
  "testing demo temp temporary welcome hello goodbye whatever nothing trustno1 iloveyou loveyou lovely love",
  "baby babygirl princess angel flower sunshine rainbow butterfly summer winter spring autumn october november",
  "january february september december monday friday sunday dragon monkey tiger lion shadow ninja phoenix",
  "football baseball basketball hockey soccer superman batman spiderman starwars pokemon naruto matrix mustang",
  "ferrari porsche mercedes harley computer internet samsung google facebook microsoft windows apple android",
  "michael jennifer jessica jordan daniel thomas robert charlie andrew ashley nicole michelle matthew joshua",
  "hunter killer freedom cheese chocolate cookie pepper ginger orange purple yellow silver golden diamond",
  "company office business london paris berlin newyork america england germany france correcthorsebatterystaple",
  "atlas governance gateway",
].flatMap((line) => line.split(" "));

/** Rows of keyboards: four keys in a row, in either direction, are no more than one choice. */
export const KEYBOARD_ROWS: readonly string[] = [
  "1234567890",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
];
