// Trying what may fail: a body runs in a subtransaction, which is rolled back where it fails. Only here does an error
// not end the statement.
#pragma once

#include <optional>
#include <string>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// What went wrong, in UTF-8.
struct Trouble {
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
};

class Subtransaction {
public:
    Subtransaction();
    void release();
    void roll_back();

private:
    MemoryContext memory_;
    ResourceOwner owner_;
};

// Whether the statement was cancelled, or the session or the server is being shut down: no reason to go on without the
// body. An error that code of a user's raised is none, whatever its class.
bool is_interrupt(const ServerError& error);

Trouble trouble_of(const ServerError& error);

// Nothing if the body did its work. The body uses the connection to SPI that is there, and opens no other: what an
// error says lives in the connection's memory.
template <class Body>
std::optional<Trouble> attempt(Body&& body) {
    Subtransaction subtransaction;
    try {
        body();
        subtransaction.release();
        return std::nullopt;
    } catch (const ServerError& error) {
        subtransaction.roll_back();
        if (is_interrupt(error)) throw;
        return trouble_of(error);
    } catch (const Error& error) {
        subtransaction.roll_back();
        return Trouble{error.sqlstate(), error.message(), error.detail(), error.hint()};
    } catch (...) {
        subtransaction.roll_back();
        throw;
    }
}

}  // namespace loyalty::pg
