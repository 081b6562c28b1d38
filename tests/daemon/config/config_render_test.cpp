// The canonical text, and that it means what it was made from.
#include <gtest/gtest.h>

#include <random>

#include "daemon/config/config_key.h"
#include "tests/daemon/config/fixtures.h"

namespace pqd {
namespace {

class RandomConfig {
 public:
  explicit RandomConfig(uint64_t seed) : random_(seed) {}

  Config make() {
    Config config;
    fill(daemon_keys(), config.daemon);
    fill(engine_keys(), config.engine);
    fill(queues_keys(), config.queues);
    fill_queue(config.queues.defaults);
    fill(limits_keys(), config.limits);
    if (below(2) == 0) config.limits.user_rates["root" + path()] = static_cast<uint32_t>(below(1'000));
    fill(store_keys(), config.store);
    for (uint64_t left = below(4); left > 0; --left) {
      auto& tables = below(2) == 0 ? config.access.users : config.access.groups;
      AccessTable& roles = tables[std::to_string(70'000 + below(5))];
      fill(access_keys(), roles);
      roles.operates |= roles.producer.empty() && roles.consumer.empty() && !roles.admin;
    }
    for (uint64_t left = below(5); left > 0; --left) {
      const std::string queue = name();
      fill_queue(config.queues.named[queue]);
      if (below(2) == 0) continue;
      config.queues.weights[queue].users["root" + path()] = 1 + static_cast<uint32_t>(below(1'000));
      config.queues.weights[queue].keys[path()] = 1 + static_cast<uint32_t>(below(1'000));
    }
    return config;
  }

 private:
  uint64_t below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }
  // Small and round ones as often as any other.
  uint64_t between(uint64_t least, uint64_t most) {
    constexpr uint64_t kRound[] = {1, 1'000, 1'024, 60'000, 1u << 20, 3'600'000, 1u << 30};
    const uint64_t value = below(2) == 0 ? least + below(most - least + 1) : below(100) * kRound[below(7)];
    return std::clamp(value, least, most);
  }
  std::string name() {
    constexpr std::string_view kLetters = "ABCXYZabcxyz019._:-";
    std::string text;
    for (uint64_t left = 1 + below(64); left > 0; --left) text += kLetters[below(kLetters.size())];
    return text;
  }
  std::vector<std::string> names(bool with_types) {
    std::vector<std::string> list;
    for (uint64_t left = below(4); left > 0; --left) {
      std::string item = below(3) == 0 ? "*" : name();
      if (with_types && below(2) == 0) item += "/" + (below(2) == 0 ? name() : "t.*");
      list.push_back(item);
    }
    return list;
  }
  // Any text that starts with a slash and goes on.
  std::string path() {
    constexpr std::string_view kParts[] = {"a", "/",  " ",    "\"",   "\\", "'",
                                           "#", "\n", "\x01", "\x7f", "ü",  "漢"};
    std::string text = "/x";
    for (uint64_t left = below(20); left > 0; --left) text += kParts[below(std::size(kParts))];
    return text;
  }
  template <class Table>
  void fill(std::span<const ConfigKey<Table>> keys, Table& table) {
    for (const auto& key : keys) {
      if (key.rules.form == ValueForm::kFlag)
        key.set(table, below(2) == 0);
      else if (key.rules.form == ValueForm::kWord)
        key.set(table, std::string(key.rules.words[below(key.rules.words.size())]));
      else if (key.rules.form == ValueForm::kPath)
        key.set(table, path());
      else if (key.rules.form == ValueForm::kQueues || key.rules.form == ValueForm::kWork)
        key.set(table, names(key.rules.form == ValueForm::kWork));
      else if (key.rules.automatic && below(2) == 0)
        key.set(table, uint64_t{kAutomatic});
      else
        key.set(table, between(key.rules.least, key.rules.most));
    }
  }
  void fill_queue(QueueSettings& settings) {
    fill(queue_keys(), settings);
    settings.backoff_cap_ms = std::max(settings.backoff_cap_ms, settings.backoff_first_ms);
  }

  std::mt19937_64 random_;
};

TEST(ConfigRender, ReadsBackAsTheSameValues) {
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    const Config config = RandomConfig(seed).make();
    const std::string text = render_config(config);
    ASSERT_EQ(good(text), config) << "seed " << seed << "\n" << text;
    ASSERT_EQ(render_config(good(text)), text) << "seed " << seed;
  }
}

TEST(ConfigRender, LooksAsPeopleWouldWriteIt) {
  const std::string text = render_config(good("[queue.\"a.b\"]\nmax_active = 3\n"));
  for (const char* part :
       {"[daemon]\nstate_dir = \"/var/lib/pqd\"\n", "session_memory_bytes = \"4GiB\"\n",
        "[engine]\npartitions = 1\nspin_us = \"auto\"\npayload_memory_bytes = \"128MiB\"\n",
        "[queues]\nstrict = false\n", "[queues.defaults]\nmax_depth = 10000\n",
        "admission_timeout = \"5s\"\n", "fair = \"off\"\n", "[queue.\"a.b\"]\n", "max_active = 3\n",
        "[limits]\nrate_limit = 60\n",
        "[store]\nreserved_bytes = \"256MiB\"\ncheckpoint_interval = \"1s\"\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

}  // namespace
}  // namespace pqd
