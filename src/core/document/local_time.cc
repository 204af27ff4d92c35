#include "core/document/local_time.hpp"

#include <chrono>
#include <cstdio>

namespace loyalty {

namespace {

std::string show_date(std::int32_t day) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

}  // namespace

std::int32_t LocalTime::day() const {
    const std::int64_t whole = local_us / day_us;
    return static_cast<std::int32_t>(local_us % day_us < 0 ? whole - 1 : whole);
}

std::int64_t LocalTime::time_of_day_us() const { return local_us - day() * day_us; }

std::string LocalTime::to_string() const {
    const std::int64_t of_day = time_of_day_us();
    // ISO 8601 wants the seconds.
    const bool whole_minutes = of_day % (60 * second_us) == 0;
    return show_date(day()) + "T" + show_time_of_day(of_day) + (whole_minutes ? ":00" : "");
}

std::string show_time_of_day(std::int64_t time_of_day_us) {
    const auto seconds = static_cast<int>(time_of_day_us / second_us);
    const auto fraction = static_cast<int>(time_of_day_us % second_us);
    char text[48];
    int size = std::snprintf(text, sizeof text, "%02d:%02d", seconds / 3600, seconds / 60 % 60);
    const auto rest = sizeof text - static_cast<std::size_t>(size);
    if (fraction != 0) {
        std::snprintf(text + size, rest, ":%02d.%06d", seconds % 60, fraction);
    } else if (seconds % 60 != 0) {
        std::snprintf(text + size, rest, ":%02d", seconds % 60);
    }
    return text;
}

}  // namespace loyalty
