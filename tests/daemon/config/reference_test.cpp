// daemon/config/README.md is the reference: its tables are held against the keys that the code knows.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/queue_keys.h"
#include "daemon/config/config_key.h"
#include "daemon/config/config_value.h"
#include "tests/daemon/config/fixtures.h"

namespace pqd {
namespace {

template <class Table>
void add_rows(const std::string& table, std::span<const ConfigKey<Table>> keys,
              std::vector<std::string>& rows) {
  rows.push_back("## " + table);
  const Table defaults;
  for (const auto& key : keys) {
    const KeyRules& rules = key.rules;
    rows.push_back("| `" + std::string(rules.name) + "` | `" + value_text(rules, key.get(defaults)) + "` | " +
                   range_text(rules) + " | " + std::string(rules.meaning) + " |");
  }
}

std::vector<std::string> rows_of_the_code() {
  std::vector<std::string> rows;
  add_rows("[daemon]", daemon_keys(), rows);
  add_rows("[engine]", engine_keys(), rows);
  add_rows("[queues]", queues_keys(), rows);
  add_rows("[queues.defaults] and [queue.NAME]", queue_keys(), rows);
  add_rows("[limits]", limits_keys(), rows);
  add_rows("[access.user.NAME] and [access.group.NAME]", access_keys(), rows);
  add_rows("[store]", store_keys(), rows);
  return rows;
}

std::vector<std::string> lines_of_the_page() {
  std::vector<std::string> lines;
  std::ifstream page(PQD_SOURCE_DIR "/daemon/config/README.md");
  for (std::string line; std::getline(page, line);) lines.push_back(line);
  return lines;
}

// Headings of tables, and the rows under them that begin with a key.
std::vector<std::string> rows_of_the_page() {
  std::vector<std::string> rows;
  bool of_settings = false;
  for (const std::string& line : lines_of_the_page()) {
    if (line.starts_with("## ")) of_settings = line.starts_with("## [");
    if (of_settings && (line.starts_with("## ") || line.starts_with("| `"))) rows.push_back(line);
  }
  return rows;
}

TEST(ConfigReference, HasEverySettingWithItsDefaultRangeAndMeaning) {
  std::string wanted;
  for (const std::string& row : rows_of_the_code()) wanted += row + "\n";
  EXPECT_EQ(rows_of_the_page(), rows_of_the_code()) << "the page has to say:\n" << wanted;
}

TEST(ConfigReference, CallsEachSettingByANameOfItsOwn) {
  std::set<std::string> names;
  for (const std::string& row : rows_of_the_code()) {
    if (row.starts_with("| ")) {
      EXPECT_TRUE(names.insert(row.substr(0, row.find('|', 1))).second) << row;
    }
  }
}

TEST(ConfigReference, ShowsAnExampleThatIsGood) {
  std::string example;
  bool inside = false;
  for (const std::string& line : lines_of_the_page()) {
    if (inside && line == "```") break;
    if (inside) example += line + "\n";
    inside = inside || line == "```toml";
  }
  const Config config = good(example);
  EXPECT_EQ(config.queues.named.at("mail").max_attempts, 5u);
  EXPECT_EQ(config.queues.named.at("mail.bulk").fair, Fairness::kUser);
}

TEST(ConfigReference, WordsOfASettingAreAsManyAsTheBrokerTakes) {
  for (const QueueKey& there : kQueueKeys) {
    const auto* here = find_key(queue_keys(), there.name);
    ASSERT_NE(here, nullptr) << there.name;
    if (here->rules.form != ValueForm::kWord) continue;
    EXPECT_EQ(here->rules.words.size(), there.most + 1) << there.name;
  }
}

}  // namespace
}  // namespace pqd
