#include "pg/server/kept_queries.hpp"

namespace loyalty::pg {

namespace {

// Says that a query runs for the extent of an object.
class Running {
public:
    explicit Running(int& count) : count_(count) { count_++; }
    ~Running() { count_--; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    int& count_;
};

}  // namespace

Rows KeptQueries::run(const std::string& text, Oid type, const Argument& argument, bool writes) {
    Entry& entry = find(text, type);
    const Running running(entry.running);
    return entry.query.run({argument}, writes);
}

KeptQueries::Entry& KeptQueries::find(const std::string& text, Oid type) {
    const std::string key = std::to_string(type) + " " + text;
    if (const auto found = entries_.find(key); found != entries_.end()) {
        found->second->last_used = ++uses_;
        return *found->second;
    }
    if (entries_.size() >= most) drop_oldest();
    auto made = std::make_unique<Entry>(Entry{Query(text.c_str(), {type}, Plan::of_others), ++uses_});
    return *entries_.emplace(key, std::move(made)).first->second;
}

void KeptQueries::drop_oldest() {
    auto oldest = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
        if (entry->second->running > 0) continue;
        if (oldest == entries_.end() || entry->second->last_used < oldest->second->last_used) oldest = entry;
    }
    if (oldest == entries_.end()) return;
    oldest->second->query.forget();
    entries_.erase(oldest);
}

}  // namespace loyalty::pg
