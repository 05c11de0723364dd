/** Words that a scripted recognizer says where a test then looks for them; none occurs in our own names. */

export const SAID_IN_CHILD_LABOUR = ["rukia", "quarry", "boulders", "beaten", "hungry"] as const;
