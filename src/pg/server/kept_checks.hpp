// Check constraints of our tables, read once a session.
//
// The server reads the text of each constraint anew for every statement that writes to its table, and plans it: a
// quarter of placing an order (in a profile). Here a session keeps what it has read, as long as the text is the same
// and no function, type or operator has changed meanwhile; a statement is given it as it starts. What is checked, for
// whom and when, stays the server's: it evaluates the same expressions, and says the same of a row that breaks one.
#pragma once

namespace loyalty::pg {

// Called once, when the library is loaded.
void keep_checks();

}  // namespace loyalty::pg
