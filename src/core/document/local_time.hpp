// A moment, and what the clocks of the program's time zone show at it. Which offset a zone has when, only the shell
// knows; the core reckons with both figures as plain numbers.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace loyalty {

struct LocalTime {
    std::int64_t unix_us = 0;   // microseconds since 1970-01-01 00:00 UTC
    std::int64_t local_us = 0;  // the same for the local clock, as if it showed UTC

    // The local date, in days since 1970-01-01.
    std::int32_t day() const;
    // The local time of day, in microseconds since midnight.
    std::int64_t time_of_day_us() const;
    // "2026-11-21T12:00:00", local.
    std::string to_string() const;

    // Moments are compared, not clocks: when these are set back, they show an hour twice.
    friend std::strong_ordering operator<=>(const LocalTime& a, const LocalTime& b) { return a.unix_us <=> b.unix_us; }
    friend bool operator==(const LocalTime& a, const LocalTime& b) { return a.unix_us == b.unix_us; }
};

inline constexpr std::int64_t second_us = 1'000'000;
inline constexpr std::int64_t day_us = 86'400 * second_us;

// "18:00", with seconds and their fraction where there are any.
std::string show_time_of_day(std::int64_t time_of_day_us);

}  // namespace loyalty
