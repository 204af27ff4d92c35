// The two doors between C++ and PostgreSQL. There are no others.
//
// PostgreSQL reports an error by a longjmp, which skips destructors; C++ by an exception, which must not leave a
// function that the server called. So:
//
//   postgres(body)  calls PostgreSQL from C++: an error inside becomes a C++ exception that carries the whole ErrorData
//                   (SQLSTATE, DETAIL, HINT, CONTEXT, constraint). The body is a lambda of plain C calls that captures
//                   nothing with a destructor: what a longjmp would skip does not exist. About 10 ns a crossing: wrap a
//                   query, not a row.
//   guarded(body)   is the outermost frame of each SQL function: an exception becomes an ordinary error report. Its
//   catch
//                   clauses only record; the report is raised behind them, when no C++ object lives.
//
// An error is never swallowed on the way: it ends the statement, so no subtransaction is needed. The exception is
// attempt.hpp, which has one.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <new>
#include <type_traits>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// An error of PostgreSQL on its way through C++.
struct ServerError {
    ErrorData* data;
};

// The error that the server has just reported, copied into the current memory context.
[[noreturn]] void throw_server_error();

template <class Body>
[[gnu::noinline]] auto postgres(const Body& body) -> decltype(body()) {
    static_assert(std::is_trivially_destructible_v<Body>, "a longjmp would skip the destructor of a capture");
    using Result = decltype(body());
    static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>);

    sigjmp_buf* const outer_stack = PG_exception_stack;
    ErrorContextCallback* const outer_context = error_context_stack;
    const MemoryContext memory = CurrentMemoryContext;
    sigjmp_buf here;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        if constexpr (std::is_void_v<Result>) {
            body();
            PG_exception_stack = outer_stack;
            error_context_stack = outer_context;
            return;
        } else {
            const Result result = body();
            PG_exception_stack = outer_stack;
            error_context_stack = outer_context;
            return result;
        }
    }
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context;
    MemoryContextSwitchTo(memory);
    throw_server_error();
}

// What guarded() remembers of an exception until no C++ object lives: fixed arrays, so that remembering cannot fail.
struct Failure {
    ErrorData* server_error = nullptr;
    char sqlstate[6] = "XX000";
    char message[1024] = "unexpected exception";
    char detail[2048] = "";
    char hint[1024] = "";

    void record(const Error& error) noexcept;
    void record(const char* sqlstate, const char* message) noexcept;
};

[[noreturn]] void raise(const Failure& failure);

template <class Body>
Datum guarded(Body&& body) {
    Failure failure;
    try {
        return body();
    } catch (const ServerError& error) {
        failure.server_error = error.data;
    } catch (const Error& error) {
        failure.record(error);
    } catch (const std::bad_alloc&) {
        failure.record("53200", "out of memory");
    } catch (const std::exception& error) {
        failure.record("XX000", error.what());
    } catch (...) {
        failure.record("XX000", "unknown C++ exception");
    }
    raise(failure);
}

// Polls for a cancelled query; throws if there is one.
void check_interrupts();

}  // namespace loyalty::pg
