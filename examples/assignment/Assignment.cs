// Assigns a unit to a variant of a rollout, as promptgate does (gb2).
public record Entry(string Salt, uint BasisPoints, string Control, string Treatment);

public static class Assignment
{
    static uint Fnv1a32(string text)
    {
        var value = 0x811C9DC5u;
        foreach (var unit in text) value = unchecked((value ^ unit) * 0x01000193u);
        return value;
    }

    public static uint Bucket(string salt, string unit) =>
        Fnv1a32(Fnv1a32(salt + unit).ToString(System.Globalization.CultureInfo.InvariantCulture)) % 10_000;

    /// The version of a unit; entry is prompts[NAME] of releases.json.
    public static string Version(Entry entry, string unit) =>
        unit != "" && Bucket(entry.Salt, unit) < entry.BasisPoints ? entry.Treatment : entry.Control;
}
