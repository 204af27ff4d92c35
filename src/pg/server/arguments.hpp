// Arguments of SQL functions, which may be null, as optional values; and results of functions that return rows.
#pragma once

#include "pg/server/values.hpp"

namespace loyalty::pg {

class Arguments {
public:
    explicit Arguments(FunctionCallInfo call) : call_(call) {}

    std::optional<Datum> datum(int argument) const {
        if (call_->args[argument].isnull) return std::nullopt;
        return call_->args[argument].value;
    }
    std::optional<std::string> text(int argument) const;
    std::optional<TimestampTz> moment(int argument) const;
    std::optional<Uuid> uuid(int argument) const;
    std::optional<std::int32_t> integer(int argument) const;
    // Error LY526 where it is null.
    std::string required(int argument, const char* name) const;

private:
    FunctionCallInfo call_;
};

// Makes the rows of a query, whose columns have the types that the function declares, the result of a function.
Datum return_rows(FunctionCallInfo call, const Rows& rows, int columns);

// A copy that outlives the connection to SPI.
Datum copy_out(Datum varlena_value, MemoryContext into);

}  // namespace loyalty::pg
