// Orders that are being imported: from the document that was given to their rows.
#pragma once

#include "codec/order_reader.hpp"
#include "core/order/order.hpp"

#include <map>
#include <string>
#include <vector>

#include "pg/orders/store.hpp"

namespace loyalty::pg {

struct Imported {
    OrderDocument document;
    Order order;
    TimestampTz time = 0;
    OrderKey key;
    bool is_new = true;
};

struct ImportedOrders {
    Datum document;  // jsonb: an array of them
    std::vector<Imported> orders;
    std::map<std::string, CurrentProgram> programs;  // by the program that orders name; empty: they name none

    // Where it is the first order of its program, that is looked up.
    const CurrentProgram& program_of(const Imported& order);
    std::size_t count_new() const;

    // An error in one order says in which.
    template <class Body>
    static void in_order(std::size_t i, const Body& body) {
        try {
            body();
        } catch (const Error& error) {
            throw codec::in_order(error, i);
        }
    }

    // The new orders of one program at a time, since figures are in its scales: body(program's id, program, their
    // places).
    template <class Body>
    void by_program(const Body& body) {
        std::map<std::string, std::vector<std::size_t>> groups;
        for (std::size_t i = 0; i < orders.size(); i++) {
            if (orders[i].is_new) groups[orders[i].key.program].push_back(i);
        }
        for (const auto& [program, members] : groups)
            body(program, program_of(orders[members.front()]).version->program, members);
    }
};

// Marks those that are stored already. Error LY601 where one of them has other content.
void find_known(ImportedOrders& imported);

// Takes the ids of the others, as many as this call is the first to take; waits for whoever takes the same ones.
std::size_t claim_ids(const ImportedOrders& imported);

// Writes the new ones, with their lines, and counts them for their buyers.
void store_imported(ImportedOrders& imported);

}  // namespace loyalty::pg
