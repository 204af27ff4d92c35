// What the server tells of errors of ours.
#pragma once

namespace loyalty::pg {

// From now on errors of class LY are told without the statements and functions of ours that led to them: what is wrong
// is the caller's, and so is the only context that helps. To be called once, when the library is loaded.
void tell_errors_plainly();

}  // namespace loyalty::pg
