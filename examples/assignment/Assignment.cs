// Assigns a unit to a variant of a rollout, as promptgate does (gb2).
using System.Text.Json.Serialization;

/// prompts[NAME] of releases.json, as JsonSerializer.Deserialize reads it.
public record Entry(
    [property: JsonPropertyName("salt")] string Salt,
    [property: JsonPropertyName("basis_points")] uint BasisPoints,
    [property: JsonPropertyName("control")] string Control,
    [property: JsonPropertyName("treatment")] string Treatment);

public static class Assignment
{
    static uint Fnv1a32(string text)
    {
        var value = 0x811C9DC5u;
        foreach (var unit in text) value = unchecked((value ^ unit) * 0x01000193u);
        return value;
    }

    public static uint Bucket(string salt, string unit) =>
        Fnv1a32(Fnv1a32(salt + unit).ToString(System.Globalization.CultureInfo.InvariantCulture)) % 10000;

    /// The version of a unit.
    public static string Version(Entry entry, string? unit) =>
        !string.IsNullOrEmpty(unit) && Bucket(entry.Salt, unit) < entry.BasisPoints ? entry.Treatment : entry.Control;
}
