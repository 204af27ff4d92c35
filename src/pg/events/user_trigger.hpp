// Triggers for the user's own tables. The user's statement never fails because there was nothing to book: that is told
// by an event.
#pragma once

#include <optional>
#include <string>

#include "pg/server/attempt.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

// The row that such a trigger was called for. Error LY724 where it was not called as it can be.
class FiredRow {
public:
    FiredRow(FunctionCallInfo call, std::string function);

    int arguments() const { return data_->tg_trigger->tgnargs; }
    std::string argument(int number) const;

    // As the server writes it; nothing where it is null.
    std::optional<std::string> value(const std::string& column) const;

    std::string relation() const;

    // The values of its primary key, separated by commas; those within a value are escaped.
    std::string key() const;

    Datum result() const;

private:
    std::optional<std::string> value(int number) const;

    std::string function_;
    TriggerData* data_;
};

// Passes on what is no refusal of the domain's, and errors in the use of the trigger.
void require_refusal(const Trouble& trouble);

// Tries a body. What the domain refuses is returned; any other error, and one in the use of the trigger, passes on.
template <class Body>
std::optional<Trouble> refused(const Body& body) {
    auto trouble = attempt(body);
    if (trouble) require_refusal(*trouble);
    return trouble;
}

// What was not done for the row: its key and the promotion are left out where they are empty.
void tell_skipped(const std::string& program, const char* type, const std::optional<std::string>& profile,
                  const std::string& promotion, const FiredRow& row, const std::string& key, const Trouble& skipped);

}  // namespace loyalty::pg
