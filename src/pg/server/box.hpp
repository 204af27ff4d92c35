// The box in which everything is done that is done as somebody else than the caller. Code that users wrote runs in the
// midst of our statements (functions of a view, policies, checks of a domain, triggers on our tables), and what it
// leaves behind must not be what our next statement runs under. So a box
//
//   is a level of settings that is undone at its end, whatever was set in it, and by whom: a function's SET clause is
//   not enough, since what a function sets beyond its transaction outlives the clause;
//   pins in that level what our own statements depend on: the search path, and the settings by which a value is written
//   and read, so that nothing that is stored depends on who called;
//   is a security-restricted operation: nobody becomes another role in it, prepares statements, makes temporary tables
//   or cursors that outlive it, and no trigger of anybody's waits in it for the transaction's end.
//
// It works in processes of a parallel query, and sets nothing where the caller's settings fit.
#pragma once

#include "pg/server/doors.hpp"

namespace loyalty::pg {

class Box {
public:
    Box(const Box&) = delete;
    Box& operator=(const Box&) = delete;

    // The box that the current code stands in; null outside of all.
    static const Box* innermost() { return innermost_; }

    // Whether code of users runs in it: a relation of theirs is read.
    bool is_for_reading() const { return is_for_reading_; }
    Oid user() const { return user_; }
    // For whom all this is done.
    Oid caller() const { return caller_; }

protected:
    Box(Oid user, Oid caller, bool is_for_reading);
    // After an error the end of the (sub)transaction undoes the settings.
    ~Box();

private:
    static inline const Box* innermost_ = nullptr;

    const Box* const outer_;
    const Oid user_, caller_;
    const bool is_for_reading_;
    const int exceptions_;
    Oid user_before_;
    int context_before_;
    int level_;
};

// Pins the settings again, where code of a user's has changed them since the box was opened. Called below a door,
// before each statement, which is parsed again where the search path has changed.
void pin_settings();

}  // namespace loyalty::pg
