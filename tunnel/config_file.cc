// SPDX-License-Identifier: Apache-2.0
#include "tunnel/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace godwit::tunnel {
namespace {

std::string PlaceOf(const std::string& path, const toml::source_region& source) {
  return absl::StrCat(path, ":", source.begin.line);
}

// Texts and whole numbers.
std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<int64_t>()) return absl::StrCat(*number);
  return std::nullopt;
}

absl::StatusOr<ConfigEntry> ReadEntry(const std::string& path, std::string_view key,
                                      const toml::node& node) {
  ConfigEntry entry;
  entry.key = key;
  entry.place = PlaceOf(path, node.source());
  const absl::Status wrong = absl::InvalidArgumentError(
      absl::StrCat(entry.place, ": the value of ", entry.key,
                   " must be a text, a whole number, true or false, or a list of texts"));
  if (const auto boolean = node.value_exact<bool>()) {
    entry.kind = ConfigEntry::Kind::kBoolean;
    entry.values.emplace_back(*boolean ? "true" : "false");
    return entry;
  }
  if (const toml::array* const list = node.as_array()) {
    entry.kind = ConfigEntry::Kind::kList;
    for (const toml::node& element : *list) {
      const std::optional<std::string> text = TextOf(element);
      if (!text) return wrong;
      entry.values.push_back(*text);
    }
    return entry;
  }
  const std::optional<std::string> text = TextOf(node);
  if (!text) return wrong;
  entry.values.push_back(*text);
  return entry;
}

absl::StatusOr<std::vector<ConfigEntry>> ReadEntries(const std::string& path,
                                                     const std::string& text) {
  const toml::table table = toml::parse(text, path);
  std::vector<std::pair<toml::source_position, ConfigEntry>> entries;
  for (const auto& [key, node] : table) {
    absl::StatusOr<ConfigEntry> entry = ReadEntry(path, key.str(), node);
    if (!entry.ok()) return entry.status();
    entries.emplace_back(node.source().begin, *std::move(entry));
  }
  // The library sorts by name; of two errors people expect the first.
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ConfigEntry> sorted;
  sorted.reserve(entries.size());
  for (auto& [position, entry] : entries) sorted.push_back(std::move(entry));
  return sorted;
}

}  // namespace

absl::StatusOr<std::vector<ConfigEntry>> ReadConfigFile(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::array<char, 4'096> part;
  while (file) {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<size_t>(file.gcount()));
  }
  // A folder can be opened, but not read.
  if (file.bad() || !file.eof()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read the configuration \"", path, "\""));
  }
  try {
    return ReadEntries(path, text);
  } catch (const toml::parse_error& error) {
    const std::string_view what = error.description();
    return absl::InvalidArgumentError(absl::StrCat(PlaceOf(path, error.source()), ": ",
                                                   absl::string_view(what.data(), what.size())));
  }
}

}  // namespace godwit::tunnel
