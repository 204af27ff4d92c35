// The transactional outbox, loyalty.events.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

struct Event {
    std::string_view type;
    Datum data;  // a jsonb object
};

// Writes what happened to a profile, or (nothing) to an anonymous guest, one after the other.
void add_events(const std::string& program, const std::optional<std::string>& profile,
                const std::vector<Event>& events);

// Likewise for many profiles: each event is of the profile at its place.
void add_events_of_many(const std::string& program, const std::vector<std::string>& profiles,
                        const std::vector<Event>& events);

void add_event(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
               Datum data);

// For the extent of an object, events of one profile are gathered, to be written by one statement when flush() is
// called, which has to be. Whatever writes events by statements of its own flushes before.
class EventBatch {
public:
    EventBatch(std::string program, std::optional<std::string> profile);
    ~EventBatch();
    EventBatch(const EventBatch&) = delete;
    EventBatch& operator=(const EventBatch&) = delete;

    // Whether it has taken the event over.
    static bool takes(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
                      Datum data);
    // Writes what was gathered so far, if anything is.
    static void flush();

private:
    struct Gathered {
        std::string type;
        Datum data;
    };
    static inline EventBatch* current = nullptr;

    const std::string program_;
    const std::optional<std::string> profile_;
    const MemoryContext memory_;
    EventBatch* const outer_;
    std::vector<Gathered> events_;
};

// For the extent of an object an order is placed of which nothing shall be told: neither that it was placed, nor what
// it books, nor which promo codes it uses and issues. What falls due meanwhile is told as always.
class Silence {
public:
    Silence() { depth++; }
    ~Silence() { depth--; }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

    static bool is_kept() { return depth > 0; }
    static bool covers(std::string_view type) { return is_kept() && type != "points_expired"; }

private:
    static inline int depth = 0;
};

// Called before members are locked, where events may follow. The first event of a server takes a lock that is held
// until its transaction ends; who waited for it with a member locked would be in the way of one that books for several.
void prepare_outbox();

}  // namespace loyalty::pg
