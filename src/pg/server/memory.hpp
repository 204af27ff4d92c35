// What one calculation may hold: setting loyalty.max_calculation_memory, 256 MB unless it says otherwise.
//
// Nothing is estimated: it is asked how much of the heap is in use, which is what C++ and the server have taken
// together, and compared with what was in use at the beginning. Asking takes some microseconds, as many as a small
// calculation has; so it is asked every few milliseconds, where a long calculation also polls for interrupts, and the
// first time then. A calculation may go over the limit by what it takes between two times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace loyalty::pg {

// A calculation for the extent of an object. One within another belongs to it.
class CalculationMemory {
public:
    CalculationMemory();
    ~CalculationMemory();
    CalculationMemory(const CalculationMemory&) = delete;
    CalculationMemory& operator=(const CalculationMemory&) = delete;

    // Says what was asked, for the error.
    static void asked(std::size_t lines, std::size_t promotions);

    // Error LY402 where the calculation that is under way, if one is, holds more than it may.
    static void check();
    // The same for what it is about to take at once.
    static void require(std::size_t bytes);
    // Whether check() would refuse; for what runs below a door, where no exception may be thrown.
    static bool is_exceeded();
    [[noreturn]] static void fail();

private:
    // More than at the beginning.
    std::size_t held() const;

    static inline CalculationMemory* current_ = nullptr;

    CalculationMemory* const outer_;
    std::int64_t last_checked_;
    std::optional<std::size_t> begun_with_;
    std::size_t lines_ = 0, promotions_ = 0;
};

// What a calculation under way calls from time to time: a cancelled query ends there, and one that holds too much.
void check_calculation();

}  // namespace loyalty::pg
