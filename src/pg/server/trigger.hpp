// How our trigger functions are called. Who owns a table may attach any function to it, before or after any event, for
// rows or statements; so each looks at its call before it looks at a row.
#pragma once

#include <initializer_list>
#include <string>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// Error LY724, with what is wrong.
// Error 42501 unless the owner of the trigger's table may execute its function, which the server asked when the trigger
// was made, and asks no more: a right that was taken back is gone for what stands there, too.
void require_right_to_fire(FunctionCallInfo call);

[[noreturn]] void fail_misused(const std::string& function, const std::string& detail);

// A call of a trigger function that belongs to tables of schema loyalty. Error LY724 where it is none.
class OwnTrigger {
public:
    OwnTrigger(FunctionCallInfo call, const char* function);

    bool is_before() const { return TRIGGER_FIRED_BEFORE(data_->tg_event); }
    bool is_after() const { return TRIGGER_FIRED_AFTER(data_->tg_event); }
    bool is_for_row() const { return TRIGGER_FIRED_FOR_ROW(data_->tg_event); }
    bool is_insert() const { return TRIGGER_FIRED_BY_INSERT(data_->tg_event); }

    TriggerData* operator->() const { return data_; }
    TriggerData* data() const { return data_; }
    TupleDesc row() const { return RelationGetDescr(data_->tg_relation); }

    // Error LY724, unless the call is as the function is used.
    void require(bool is_right, const char* use) const {
        if (!is_right) fail_misused(function_, std::string("It is for ") + use + ".");
    }

private:
    const char* function_;
    TriggerData* data_;
};

// The number of a column of the row. Error LY724 where there is none, XX001 where it is of another type; a domain
// passes as its base type.
int column_of(TupleDesc row, const char* name, Oid type);

}  // namespace loyalty::pg
