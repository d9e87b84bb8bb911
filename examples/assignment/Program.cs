// Compares the assignment with the vectors: `dotnet run`.
using System.Text.Json;

var text = File.ReadAllText("../../tests/fixtures/oracles/assignment.json");
using var vectors = JsonDocument.Parse(text);
var rows = 0;
foreach (var list in new[] { "bucket", "assign" })
{
    foreach (var row in vectors.RootElement.GetProperty(list).EnumerateArray())
    {
        var (salt, unit) = (row.GetProperty("salt").GetString()!, row.GetProperty("unit").GetString()!);
        if (Assignment.Bucket(salt, unit) != row.GetProperty("bucket").GetUInt32())
            throw new Exception($"bucket of {unit}");
        if (list == "assign")
        {
            var entry = new Entry(salt, row.GetProperty("basis_points").GetUInt32(), "control", "treatment");
            if (Assignment.Version(entry, unit) != row.GetProperty("variant").GetString())
                throw new Exception($"variant of {unit}");
        }
        rows++;
    }
}
Console.WriteLine($"{rows} vectors agree");
