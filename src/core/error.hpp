// Errors of the domain. Every one carries its own SQLSTATE of class LY, so that applications can tell them
// apart without reading the message; doc/errors.md lists them with cause and cure.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace loyalty {

// What sqlstates.def lists.
namespace sqlstate {
#define SECTION(title)
#define SQLSTATE(name, code, cause, cure) inline constexpr std::string_view name = code;
#define RAISED_IN_SQL(code, cause, cure)
#include "core/sqlstates.def"
#undef SECTION
#undef SQLSTATE
#undef RAISED_IN_SQL
}  // namespace sqlstate

class Error : public std::exception {
public:
    Error(std::string_view sqlstate, std::string message, std::string detail = {}, std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), detail_(std::move(detail)), hint_(std::move(hint)) {}

    const std::string& sqlstate() const noexcept { return sqlstate_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& detail() const noexcept { return detail_; }
    const std::string& hint() const noexcept { return hint_; }
    const char* what() const noexcept override { return message_.c_str(); }

private:
    std::string sqlstate_;
    std::string message_;
    std::string detail_;
    std::string hint_;
};

}  // namespace loyalty
