// When a promotion is available within its dates: in certain months, on certain days, at a time of day, every few days,
// weeks or months. All that is given must hold.
#pragma once

#include "core/document/local_time.hpp"
#include "core/names.hpp"

#include <bitset>
#include <cstdint>
#include <optional>

namespace loyalty {

enum class Period { day, week, month };
inline constexpr Names<Period, 3> period_names({
    {Period::day, "day"},
    {Period::week, "week"},
    {Period::month, "month"},
});

// Which restriction does not hold.
enum class Unavailable { none, month, day_of_month, weekday, time_of_day, every };

struct Schedule {
    // By number, from 1; none set: all.
    std::bitset<13> months;
    std::bitset<32> days_of_month;
    std::bitset<8> weekdays;  // 1 is Monday
    // A window of the day, its end exclusive. One that ends before it begins goes past midnight, and what comes after
    // midnight belongs to the day before: "Friday from 22:00 to 02:00" includes one o'clock on Saturday.
    std::optional<std::int64_t> from_us, to_us;
    // Every so many periods, counted from the one in which `start_day` lies; weeks begin on Monday.
    int every = 0;  // 0: always
    Period every_unit = Period::day;
    std::int32_t start_day = 0;

    Unavailable judge(const LocalTime& time) const;
};

}  // namespace loyalty
