// What fuzzers start from has to be read whole: where a reader asks for one key more, an old input ends at that key,
// and all that comes after it is tried no more.
#include "codec/context_reader.hpp"
#include "codec/order_reader.hpp"
#include "codec/resolved_order.hpp"
#include "codec/return_reader.hpp"
#include "codec/tree_reader.hpp"
#include "core/compile/compile.hpp"
#include "core/error.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace loyalty {
namespace {

const std::filesystem::path corpora = "test/fuzz/corpus";

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class Read>
void expect_read(const char* fuzzer, const Read& read) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpora / fuzzer)) {
        files++;
        try {
            read(content(entry.path()), entry.path().stem());
        } catch (const Error& error) {
            ADD_FAILURE() << entry.path() << ": " << error.message() << " " << error.detail();
        }
    }
    EXPECT_GT(files, 0) << fuzzer;
}

TEST(Corpus, IsReadWhole) {
    expect_read("tree_fuzz", [](const std::string& json, const std::string&) { compile(codec::read_tree(json), 1); });
    expect_read("context_fuzz", [](const std::string& json, const std::string&) { codec::read_context(json); });
    expect_read("return_fuzz", [](const std::string& json, const std::string&) { codec::read_returned_items(json); });
    expect_read("order_fuzz", [](const std::string& json, const std::string& name) {
        if (name == "tests") {
            codec::read_test_orders(json);
        } else if (name == "imports") {
            codec::read_imported_orders(json);
        } else {
            codec::read_order(json);
        }
    });
    const Program program = compile(codec::read_tree(content(corpora / "tree_fuzz" / "everything.json")), 1);
    expect_read("resolved_order_fuzz",
                [&](const std::string& json, const std::string&) { codec::read_resolved_order(json, program); });
}

}  // namespace
}  // namespace loyalty
